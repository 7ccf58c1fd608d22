"""Leader election with a Lease, as in Kubernetes.

Follows ``tools/leaderelection/leaderelection.go`` of Kubernetes 1.36's client-go. The times in a Lease are never
compared with a clock: another replica holds the Lease until 15 s have passed on our own monotonic clock since we saw it
change, so that a wrong clock cannot make a second leader. A leader that could not renew its Lease for 10 s stops before
another can begin. A leader that was suspended finds its Lease changed before it writes anything else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from webhook.cluster.api import CONFLICT, ApiError, Client
from webhook.controller.owned import Owner, metadata, with_metadata
from webhook.objects import Object, at, mapping, text

LEASE_SECONDS = 15
RENEW_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """The spec of a Lease, and the local time at which we first saw it."""

    spec: Object
    since: float


def leases_of(namespace: str) -> str:
    """Return the URL path of a namespace's Leases."""
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"


def observed(lease: Object, before: Record | None, now: float) -> Record:
    """Return the record of a Lease that was just read; ``before`` is that of the last read."""
    spec = mapping(lease.get("spec"))
    return before if before is not None and before.spec == spec else Record(spec, now)


def may_be_leader(record: Record | None, me: str, now: float) -> bool:
    """Return whether replica ``me`` may take or keep the leadership; None stands for a missing Lease."""
    holder = text(at(record.spec, "holderIdentity")) if record else None
    return record is None or holder is None or holder == me or now - record.since >= LEASE_SECONDS


def renewed_spec(before: Object, me: str, time: datetime) -> dict[str, Any]:
    """Return the spec by which ``me`` holds the Lease from now on; ``before`` is the spec that it replaces."""
    now = time.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if before.get("holderIdentity") == me:
        return {**before, "renewTime": now}
    transitions = before.get("leaseTransitions")
    return {
        "holderIdentity": me,
        "leaseDurationSeconds": LEASE_SECONDS,
        "acquireTime": now,
        "renewTime": now,
        "leaseTransitions": transitions + 1 if isinstance(transitions, int) else 0,
    }


class LeaderElector:
    """One candidate."""

    def __init__(self, namespace: str, name: str, me: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Take part as ``me``, a name that no other process has, in the election by this Lease."""
        self._namespace, self._name, self._me = namespace, name, me
        self._collection = leases_of(namespace)
        self._path = f"{self._collection}/{name}"
        self._clock = clock
        self._lease: dict[str, Any] | None = None
        self._record: Record | None = None
        self.until = float("-inf")
        """The time on the monotonic clock until which this replica is the leader; it may be in the past."""
        self._was_leader = False

    @property
    def is_leader(self) -> bool:
        """Whether this replica is the leader now."""
        return self._clock() < self.until

    def may_be_leader(self, client: Client) -> bool:
        """Read the Lease, and return whether this replica may take or keep the leadership; raises as `Client`."""
        now = self._clock()
        self._lease = client.get(self._path)
        self._record = observed(self._lease, self._record, now) if self._lease is not None else None
        if may_be_leader(self._record, self._me, now):
            return True
        self.until = float("-inf")
        self.log_change()
        return False

    def run(self, client: Client, owner: Owner) -> bool:
        """Take or renew the Lease that was just read; return whether we are the leader. Raises as `Client`.

        A missing Lease is created; one that was written meanwhile is read again by the next reconcile.
        """
        began = self._clock()
        if self._wrote(client, owner):
            self.until = began + RENEW_SECONDS
        self.log_change()
        return self.is_leader

    def log_change(self) -> None:
        """Log that this replica became leader, or lost the leadership, also where its Lease was not renewed in time."""
        if self.is_leader != self._was_leader:
            self._was_leader = not self._was_leader
            log.info("became leader" if self._was_leader else "lost leadership")

    def release(self, client: Client) -> None:
        """Release the Lease, so that another replica becomes leader at once; raises as `Client`."""
        lease = client.get(self._path) if self.is_leader else None
        self.until, self._was_leader = float("-inf"), False
        if lease is not None and at(lease, "spec", "holderIdentity") == self._me:
            client.replace(self._path, {**lease, "spec": {**lease["spec"], "holderIdentity": ""}})
            log.info("released leadership")

    def _wrote(self, client: Client, owner: Owner) -> bool:
        wanted, lease = metadata(self._name, owner, self._namespace), self._lease or {}
        spec = renewed_spec(mapping(lease.get("spec")), self._me, datetime.now(UTC))
        try:
            if self._lease is None:
                kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
                stored = client.create(self._collection, {**kind, "metadata": wanted, "spec": spec})
            else:
                stored = client.replace(self._path, {**lease, "metadata": with_metadata(lease, wanted), "spec": spec})
        except ApiError as error:
            if error.status == CONFLICT:
                return False
            raise
        self._record = observed(stored, self._record, self._clock())
        return True
