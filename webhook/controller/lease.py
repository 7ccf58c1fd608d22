"""Which replica leads: the holder of a Lease, as Kubernetes' own leader election has it.

Follows ``tools/leaderelection/leaderelection.go`` of Kubernetes 1.36's client-go. The times in a Lease are never
compared with a clock: another replica's claim counts until 15 s have passed on our own monotonic clock since we saw it
change, so that no clock that is wrong or jumps makes a second leader. A leader that could not renew its claim for 10 s
stops leading before anybody else can begin. A leader that is suspended and wakes finds its claim changed before it
writes anything else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from webhook.cluster.api import ApiError
from webhook.controller.calls import Calls
from webhook.controller.owned import Owner, metadata, with_metadata
from webhook.objects import Object, at, mapping, text

LEASE_SECONDS = 15
RENEW_SECONDS = 10.0
_CONFLICT = 409

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a Lease says of its leader, and the local time since when it says so."""

    spec: Object
    since: float


def leases_of(namespace: str) -> str:
    """Return the URL path of a namespace's Leases."""
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"


def observed(lease: Object, before: Claim | None, now: float) -> Claim:
    """Return the claim in a Lease that was just read; ``before`` is what was read the last time."""
    spec = mapping(lease.get("spec"))
    return before if before is not None and before.spec == spec else Claim(spec, now)


def may_lead(claim: Claim | None, me: str, now: float) -> bool:
    """Say whether a replica may take or keep the leadership, by the claim that it sees; None is no Lease."""
    holder = text(at(claim.spec, "holderIdentity")) if claim else None
    return claim is None or holder is None or holder == me or now - claim.since >= LEASE_SECONDS


def claimed(before: Object, me: str, time: datetime) -> dict[str, Any]:
    """Return the spec of a Lease by which a replica leads from now on; ``before`` is the spec that it replaces."""
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


class Elector:
    """One replica's part in the election."""

    def __init__(self, namespace: str, name: str, me: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Take part as ``me``, a name that no other process has, in the election by one Lease."""
        self._place = namespace, name
        self._collection = leases_of(namespace)
        self._path = f"{self._collection}/{name}"
        self._me = me
        self._clock = clock
        self._claim: Claim | None = None
        self._until = float("-inf")

    @property
    def until(self) -> float:
        """The time on the monotonic clock until which this replica leads; it may lie in the past."""
        return self._until

    @property
    def leads(self) -> bool:
        """Whether this replica leads now."""
        return self._clock() < self._until

    def run(self, calls: Calls, owner: Owner) -> None:
        """Take or renew the leadership where that is possible; raises as `Calls`.

        A Lease that is gone is made anew, one that was written meanwhile is looked at the next time.
        """
        began = self._clock()
        led = self.leads
        lease = calls.get(self._path)
        self._claim = observed(lease, self._claim, began) if lease is not None else None
        if not may_lead(self._claim, self._me, began):
            self._until = float("-inf")
        elif self._wrote(calls, lease, owner):
            self._until = began + RENEW_SECONDS
        if self.leads != led:
            log.info("this replica leads" if self.leads else "this replica does not lead any more")

    def release(self, calls: Calls) -> None:
        """Give the leadership back, so that another replica need not wait for its end; raises as `Calls`."""
        lease = calls.get(self._path) if self.leads else None
        self._until = float("-inf")
        if lease is not None and at(lease, "spec", "holderIdentity") == self._me:
            calls.replace(self._path, {**lease, "spec": {**lease["spec"], "holderIdentity": ""}})
            log.info("this replica gives the leadership back")

    def _wrote(self, calls: Calls, lease: dict[str, Any] | None, owner: Owner) -> bool:
        namespace, name = self._place
        wanted = metadata(name, owner, namespace)
        now = datetime.now(UTC)
        try:
            if lease is None:
                kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
                stored = calls.create(
                    self._collection, {**kind, "metadata": wanted, "spec": claimed({}, self._me, now)}
                )
            else:
                spec = claimed(mapping(lease.get("spec")), self._me, now)
                stored = calls.replace(self._path, {**lease, "metadata": with_metadata(lease, wanted), "spec": spec})
        except ApiError as error:
            if error.status == _CONFLICT:
                return False
            raise
        self._claim = observed(stored, self._claim, self._clock())
        return True
