"""Late PVCs: when a PVC named in a VM's annotation `migratability.io/unverified` appears, the leader evaluates the VM.

If the PVC is good, its name is removed from the annotation, so that the VM starts without the webhook. Otherwise the
name stays, and the VM gets an Event. The function that /mutate uses computes the annotation, on live GETs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from webhook.cluster import Cluster, ClusterUnavailable, Undecidable
from webhook.cluster.api import CONFLICT, ApiError, Client
from webhook.cluster.events import event_on
from webhook.cluster.facts import ClaimFacts
from webhook.cluster.live import LiveCluster
from webhook.cluster.resources import CLAIMS, OWNERS, UNVERIFIED_VMS
from webhook.engine import Question, answer, answer_start
from webhook.kubevirt.unverified import unverified_names
from webhook.objects import Object, at
from webhook.policy.unverified import of_claim
from webhook.policy.verdict import Verdict
from webhook.settings import Settings
from webhook.storage.model import Claim

AGAIN_SECONDS = 300.0
"""A VM that stays unverified is evaluated again after this time: the storage of its PVCs may have changed."""
RETRY_SECONDS = 30.0
"""An evaluation that failed is repeated after this time."""
REASON = "NotLiveMigratable"
_BUDGET_SECONDS = 5.0
"""For one reconcile, so that the Lease is renewed in time."""
_MOST_AT_ONCE = 10
_MOST_EVENTS = 8
_PVC = of_claim("")

log = logging.getLogger(__name__)

Key = tuple[str, str, str]
"""Kind, namespace and name of a VM."""
Present = Mapping[str, ClaimFacts | None]
"""The names whose PVC exists, with its facts. Instancetypes and preferences, which are not watched, have None."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The last evaluation of an unverified VM: when, what was present, until when it is valid, its Events."""

    at: float
    present: Present
    until: float
    reported: frozenset[str] = frozenset()


class LatePvcs:
    """Clears the annotations of unverified VMs, a few in each reconcile."""

    def __init__(self) -> None:
        """Start without any evaluation."""
        self._last: dict[Key, Evaluation] = {}

    def run(self, client: Client, cluster: LiveCluster, settings: Settings) -> None:
        """Evaluate the VMs that are due; one that cannot be evaluated or patched is tried again later.

        In mode warn nothing is denied: every name would be removed, and the VM would not be evaluated in mode deny.
        """
        pvcs, vms = cluster.reflector(CLAIMS), _unverified_vms(cluster)
        if settings.mode != "deny" or pvcs is None:
            return
        self._last = {key: evaluation for key, evaluation in self._last.items() if key in vms}
        now = time.monotonic()
        view = cluster.within(_BUDGET_SECONDS, confirm=True)
        for key, present in due(vms, pvcs.get, self._last, now):
            if time.monotonic() >= now + _BUDGET_SECONDS:
                return
            self._evaluate(key, present, client, view, settings)

    def _evaluate(self, key: Key, present: Present, client: Client, view: Cluster, settings: Settings) -> None:
        """Evaluate one VM. It counts as failed until it is done, so that an unexpected error delays no other VM."""
        now = time.monotonic()
        before = self._last.get(key)
        last = Evaluation(now, present, now + RETRY_SECONDS, before.reported if before else frozenset())
        self._last[key] = last
        try:
            reported = _evaluate_vm(key, client, view, settings, last.reported)
            self._last[key] = replace(last, until=now + AGAIN_SECONDS, reported=reported)
        except Undecidable as error:
            if isinstance(error, ApiError) and error.status == CONFLICT:
                self._last[key] = replace(last, until=now)
            else:
                _warn("cannot clear the unverified annotation", *key, error)


def due(
    vms: Mapping[Key, frozenset[str]],
    pvc: Callable[[tuple[str, str]], ClaimFacts | None],
    last: Mapping[Key, Evaluation],
    now: float,
) -> list[tuple[Key, Present]]:
    """Return the VMs to evaluate now, each with what is present of its names.

    ``vms`` holds the names in each VM's annotation; ``pvc`` returns the facts of a PVC by namespace and name. A VM is
    due when one of its PVCs appeared or changed since the ``last`` evaluation, or when that is no longer valid at
    ``now``, on the monotonic clock. If there are many, those that have waited longest come first.
    """
    found = []
    for key, names in vms.items():
        present, before = _present(names, key[1], pvc), last.get(key)
        if present and (before is None or now >= before.until or not present.items() <= before.present.items()):
            found.append((key, present))
    return sorted(found, key=lambda vm: last[vm[0]].at if vm[0] in last else float("-inf"))[:_MOST_AT_ONCE]


def _present(names: frozenset[str], namespace: str, pvc: Callable[[tuple[str, str]], ClaimFacts | None]) -> Present:
    of_pvcs = {name: pvc((namespace, name.removeprefix(_PVC))) for name in names if name.startswith(_PVC)}
    others = {name: None for name in names if not name.startswith(_PVC)}
    return {**others, **{name: facts for name, facts in of_pvcs.items() if facts is not None}}


def _unverified_vms(cluster: LiveCluster) -> dict[Key, frozenset[str]]:
    """The names in the annotation of each unverified VM and ReplicaSet; a kind with a stale watch is left out."""
    watched = [(resource.kind, cluster.reflector(resource)) for resource in UNVERIFIED_VMS]
    return {(kind, vm.namespace, vm.name): vm.names for kind, found in watched if found for vm in found.values()}


def _evaluate_vm(
    key: Key, client: Client, view: Cluster, settings: Settings, reported: frozenset[str]
) -> frozenset[str]:
    """Patch the annotation of a VM, and record an Event for each problem that is not ``reported`` yet.

    Returns the names of the Events that still apply. Raises ApiError with status 409 where the VM has changed.
    """
    kind, namespace, name = key
    stored = view.get(OWNERS[kind], name, namespace)
    if stored is None or at(stored.obj, "metadata", "deletionTimestamp"):
        return reported
    vm = stored.obj
    verdict = answer(Question(vm, vm, "UPDATE", vm), view, settings)
    if verdict.annotation_patch:
        client.patch(OWNERS[kind].path_of(name, namespace), [_unless_changed(vm), *verdict.annotation_patch])
    events = [event_on(vm, REASON, problem, datetime.now(UTC)) for problem in _problems(vm, verdict, view, settings)]
    named = {event["metadata"]["name"]: event for event in events}
    return frozenset(name for name, event in named.items() if name in reported or _is_recorded(client, event))


def _unless_changed(vm: Object) -> dict[str, Any]:
    """A JSON Patch operation that the API server answers with 409 where this is not the stored version.

    It answers a ``test`` with 422, like the denials of admission webhooks.
    """
    return {"op": "replace", "path": "/metadata/resourceVersion", "value": at(vm, "metadata", "resourceVersion")}


def _problems(vm: Object, verdict: Verdict, view: Cluster, settings: Settings) -> list[str]:
    """What denies the VM's start, of the names in its annotation that are present."""
    pvcs = verdict.case.claims if verdict.case else {}
    there = {of_claim(name) for name, pvc in pvcs.items() if isinstance(pvc, Claim) and not pvc.is_predicted}
    names = frozenset(name for name in unverified_names(vm) if name in there or not name.startswith(_PVC))
    start = answer_start(Question(vm, None, "CREATE", vm), names, view, settings)
    return [violation.cause for violation in start.violations if violation.denies][:_MOST_EVENTS]


def _is_recorded(client: Client, event: dict[str, Any]) -> bool:
    """Record an Event and return whether it exists now; Events with the same message have the same name."""
    about = event["involvedObject"]
    try:
        client.create(f"/api/v1/namespaces/{about['namespace']}/events", event)
    except ClusterUnavailable as error:
        if not (isinstance(error, ApiError) and error.status == CONFLICT):
            _warn("cannot record an Event", about["kind"], about["namespace"], about["name"], error)
            return False
    return True


def _warn(what: str, kind: str, namespace: str, name: str, error: Exception) -> None:
    fields = {"kind": kind, "namespace": namespace, "name": name}
    log.warning("%s: %s %s/%s: %s", what, kind, namespace, name, error, extra={"fields": fields})
