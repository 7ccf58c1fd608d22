"""The only readers of storage: which claim stands behind a volume, and who will serve it."""

from webhook.claims.model import Claim, NoClaim, as_it_is
from webhook.claims.resolver import resolve

__all__ = ["Claim", "NoClaim", "as_it_is", "resolve"]
