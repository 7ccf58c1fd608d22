"""Certificates of the webhook: making, rotating, checking and loading them. Knows nothing of VMs or Kubernetes.

Our own CAs go from one to the next by ``rotate``; ``renewed`` gives the leaf that a replica offers. ``Files``
gives the same two things, leaf and bundle, from another issuer. ``Serving`` decides for both when a leaf is served.
"""

from certs.bundle import union, why_not_trusted
from certs.ca import CA
from certs.leaf import Leaf, self_signed, service_names
from certs.pem import CertificateError
from certs.rotation import Lifetimes, Stored, renewed, rotate
from certs.serving import Serving
from certs.source import Files, Offer

__all__ = [
    "CA",
    "CertificateError",
    "Files",
    "Leaf",
    "Lifetimes",
    "Offer",
    "Serving",
    "Stored",
    "renewed",
    "rotate",
    "self_signed",
    "service_names",
    "union",
    "why_not_trusted",
]
