"""Certificates of the webhook: making and loading them. Knows nothing of machines."""

from certs.leaf import Leaf, self_signed

__all__ = ["Leaf", "self_signed"]
