"""The probe object: its creation is always denied by the webhook, which proves that the API server reaches it.

It is a Lease in the webhook's own namespace that is never stored. One webhook configuration matches only this object.
"""

from __future__ import annotations

from typing import Any

from webhook.admission.review import Request
from webhook.names import CONFIGURATION

PROBE = ("coordination.k8s.io", "leases", "")
"""Its group, resource and subresource."""
PROBE_NAME = f"{CONFIGURATION}-probe"
"""Its name, and that of the webhook configuration that matches it."""
ANSWER = "the migratability webhook answers: it is reached through the API server"


def is_probe(request: Request) -> bool:
    """Say whether a request is about the probe object."""
    which = (request.group, request.resource, request.subresource)
    return which == PROBE and request.name == PROBE_NAME


def probe_object(namespace: str) -> dict[str, Any]:
    """Return the probe object, to be created on a dry run."""
    metadata = {"name": PROBE_NAME, "namespace": namespace}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}


def status() -> dict[str, Any]:
    """Return the Status of its denial."""
    return {"code": 403, "reason": "Forbidden", "message": ANSWER}
