"""Events, for anyone who wonders why nothing happens."""

import itertools
from contextlib import suppress

from tests.localcluster.api import NO_ANSWER, Client, Object, timestamp

_COMPONENT = "localcluster"
_numbers = itertools.count()


def record(client: Client, obj: Object, reason: str, message: str) -> None:
    """Record a warning about an object; `kubectl describe` shows it."""
    metadata, now = obj["metadata"], timestamp()
    reference = {
        "apiVersion": obj.get("apiVersion", "v1"),
        "kind": obj.get("kind", "Pod"),
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
    }
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{metadata['uid'][:8]}.{next(_numbers)}"},
        "involvedObject": reference,
        "type": "Warning",
        "reason": reason,
        "message": message[:1000],
        "source": {"component": _COMPONENT},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
    with suppress(*NO_ANSWER):
        client.request("POST", f"/api/v1/namespaces/{metadata['namespace']}/events", event)
