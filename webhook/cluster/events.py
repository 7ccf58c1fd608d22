"""Kubernetes Events, which ``kubectl describe`` shows with the object they are about."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from webhook.cluster.api import MANAGER
from webhook.objects import Object, at, text

_LONGEST_MESSAGE = 1024
_LONGEST_NAME = 220


def event_on(about: Object, reason: str, message: str, now: datetime) -> dict[str, Any]:
    """Return a Warning Event on an object; its name depends on the object, the reason and the message alone."""
    name, namespace = text(at(about, "metadata", "name")) or "", text(at(about, "metadata", "namespace")) or "default"
    uid = at(about, "metadata", "uid")
    time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hashlib.sha256(f"{uid} {reason} {message}".encode()).hexdigest()[:16]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name[:_LONGEST_NAME]}.{digest}", "namespace": namespace},
        "involvedObject": {
            **{key: about.get(key) for key in ("apiVersion", "kind")},
            **{"name": name, "namespace": namespace, "uid": uid},
        },
        "type": "Warning",
        "reason": reason,
        "message": message[:_LONGEST_MESSAGE],
        "source": {"component": MANAGER},
        "reportingComponent": MANAGER,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    }
