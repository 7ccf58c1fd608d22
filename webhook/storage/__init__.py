"""The only readers of storage: the PVC behind a volume, and who serves it."""

from webhook.storage.model import Claim, NoClaim, as_it_is
from webhook.storage.resolver import resolve

__all__ = ["Claim", "NoClaim", "as_it_is", "resolve"]
