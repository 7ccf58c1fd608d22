"""Certificates of the webhook: making, rotating, checking and loading them. Knows nothing of VMs or Kubernetes.

``rotate`` replaces a self-signed CA by the next; ``renewed`` returns the leaf that a replica offers. ``Files`` reads
leaf and bundle of another issuer. ``Serving`` decides for both when a leaf is served.
"""

from certs.bundle import union
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
]
