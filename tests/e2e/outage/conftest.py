"""The same site as for the writes that reach the webhook."""

from tests.e2e.admission.conftest import site

__all__ = ["site"]
