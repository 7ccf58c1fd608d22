"""The same site as for the writes that reach the webhook, in a cluster of its own."""

from tests.e2e.admission.conftest import site

__all__ = ["site"]
