"""The one path to a verdict: object → VM → PVCs → verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from msgspec import structs

from webhook.cluster import Cluster, Snapshot
from webhook.cluster.facts import KubeVirtFacts, NamespaceFacts
from webhook.cluster.resources import INSTANCES, KUBEVIRTS, NAMESPACES, NODES
from webhook.kubevirt.reader import read_vm, vm_kind, without_matchers
from webhook.kubevirt.unverified import may_be_annotated, missing_names, operations_on, unverified_names
from webhook.names import ENFORCEMENT, REASON
from webhook.objects import Object, at, mapping, string_map, text
from webhook.policy.case import Case, ClusterContext
from webhook.policy.evaluate import evaluate_case, evaluate_start
from webhook.policy.exemptions import Exempted, ExemptionSource, exempted
from webhook.policy.unverified import unverified
from webhook.policy.verdict import Verdict
from webhook.settings import AUTO, MODES, Settings
from webhook.storage.model import as_it_is
from webhook.storage.resolver import resolve

NEWEST_KUBEVIRT = (1, 9)
"""Assumed where the version is unknown or of another form."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about an object of a VM's kind, as in `evaluate`; the labels of ``exemption_source`` exempt it."""

    obj: Object
    old: Object | None
    operation: str
    exemption_source: Object
    final: bool = False
    now: datetime | None = None


def evaluate(
    obj: Object,
    cluster: Iterable[Object] | Cluster,
    old: Object | None = None,
    settings: Settings | None = None,
    operation: str = "CREATE",
    final: bool = False,
    now: datetime | None = None,
) -> Verdict:
    """Return the verdict on a VM, VMI, ReplicaSet or Pool.

    ``obj`` and ``old`` are objects as the API server sends them; ``cluster`` is an iterable of Kubernetes objects or a
    `Cluster`. What ``old`` already violates, in the cluster as it is now, is pre-existing. With ``final`` the object is
    evaluated as it is (the validating side), otherwise as it is after our own patch. ``now`` is the time for
    exemptions; None reads the clock.

    Raises `webhook.cluster.Undecidable` where a live cluster cannot say, and ValueError where ``obj`` is of another
    kind.
    """
    state: Cluster = Snapshot(cluster) if isinstance(cluster, Iterable) else cluster
    return answer(Question(obj, old, operation, obj, final, now), state, settings or Settings())


def answer(question: Question, cluster: Cluster, settings: Settings) -> Verdict:
    """Return the verdict on an object of a VM's kind; raises as `evaluate`."""
    view = _view(question.obj, cluster, settings)
    if view is None:
        return not_evaluated(question.obj)
    old = question.old or None
    case = replace(view.case(question.obj), exempted=view.exempted(question))
    before = view.case(old) if old else None
    pending = unverified_names(old) if old else frozenset()
    how: Any = {"final": question.final, "unverified": pending}
    verdict = evaluate_case(case, before, view.settings, question.operation, **how)
    if before is not None and before.vm.has_instance and not verdict.allowed:
        before = _with_mounted(before, cluster)
        verdict = evaluate_case(case, before, view.settings, question.operation, **how)
    names = pending
    if old is None or may_be_annotated(question.obj, old):
        violations = verdict.violations
        if view.settings.mode == "warn":  # caps every action, yet what it warns about is not good
            violations = [replace(violation, action="deny") for violation in violations]
        names = unverified(case, violations, pending, before.vm if before else None)
    return _with_names(verdict, names, question, view)


def _with_names(verdict: Verdict, names: frozenset[str], question: Question, view: _View) -> Verdict:
    """The verdict with the names that the unverified annotation must hold."""
    is_exempt = any(violation.exempt for violation in verdict.violations)
    unasked = ["exempt by label: offline, the author's right to exempt was not checked"]
    is_required = not question.final or view.settings.mode == "deny"
    return replace(
        verdict,
        annotation_patch=[] if question.final else operations_on(question.obj, names),
        missing_names=missing_names(question.obj, names) if is_required else [],
        remarks=[*verdict.remarks, *(unasked if is_exempt and not view.cluster.is_live else ())],
    )


def answer_start(question: Question, names: frozenset[str], cluster: Cluster, settings: Settings) -> Verdict:
    """Return the verdict on the start of a VMI, by these names of its unverified annotation alone.

    An expired exemption still counts. A PVC that is only predicted counts as absent. Raises
    `webhook.cluster.Undecidable`.
    """
    view = _view(question.obj, cluster, settings)
    if view is None:
        return not_evaluated(question.obj)
    case = replace(view.case(question.obj), exempted=view.exempted(question, after_the_end=True))
    case = replace(case, claims={name: as_it_is(claim) for name, claim in case.claims.items()})
    owner = question.exemption_source
    inline = view.case(without_matchers(owner)) if owner.get("kind") == "VirtualMachine" else None
    return evaluate_start(case, names, view.settings, inline)


def enforced_in(namespace: NamespaceFacts | None, settings: Settings) -> Settings:
    """Return the settings with the mode capped by the namespace's label."""
    mode = namespace.labels.get(ENFORCEMENT) if namespace else None
    if mode not in MODES:
        return settings
    return structs.replace(settings, mode=min(settings.mode, mode, key=MODES.index))


@dataclass(frozen=True, slots=True)
class _View:
    """What an object is evaluated with: the cluster, its namespace and the settings in force there."""

    cluster: Cluster
    namespace: NamespaceFacts | None
    settings: Settings
    context: ClusterContext

    def case(self, obj: Object) -> Case:
        vm = read_vm(obj, self.cluster, self.context.kubevirt)
        claims = resolve(vm, self.cluster, self.settings.trident.namespace)
        return Case(vm, claims, self.context, self.settings.eviction_strategy)

    def exempted(self, question: Question, *, after_the_end: bool = False) -> Exempted:
        metadata = at(question.exemption_source, "metadata")
        labels = string_map(at(metadata, "labels"))
        sources = [ExemptionSource("the VM", labels, text(at(metadata, "annotations", REASON)))]
        if self.namespace:
            sources.append(ExemptionSource("its namespace", self.namespace.labels, self.namespace.reason))
        today = (question.now or datetime.now(UTC)).astimezone(UTC).date()
        return exempted(sources, self.settings.exemptions, today, after_the_end=after_the_end)


def _view(obj: Object, cluster: Cluster, settings: Settings) -> _View | None:
    """None where the mode is off."""
    if settings.mode == "off":
        return None
    namespace = cluster.get(NAMESPACES, not_evaluated(obj).namespace)
    settings = enforced_in(namespace, settings)
    if settings.mode == "off":
        return None
    return _View(cluster, namespace, settings, _context(cluster, settings))


def _with_mounted(before: Case, cluster: Cluster) -> Case:
    """The old case with the PVCs that its running VMI still mounts: a change back to them is allowed."""
    vm = before.vm
    instance = cluster.get(INSTANCES, vm.name, vm.namespace)
    mounted = instance.claims if instance else frozenset()
    return replace(before, vm=replace(vm, former_claims=vm.former_claims | mounted))


def not_evaluated(obj: Object) -> Verdict:
    """Return the empty verdict on an object; raises ValueError where it is of no VM's kind."""
    kind = vm_kind(obj)
    metadata = mapping(obj.get("metadata"))
    name = text(metadata.get("name")) or text(metadata.get("generateName")) or ""
    return Verdict(kind, text(metadata.get("namespace")) or "default", name)


def namespace_of_kubevirt(cluster: Cluster, settings: Settings) -> str:
    """Return KubeVirt's namespace: by the settings, else that of the only KubeVirt CR, else "kubevirt".

    Raises `webhook.cluster.Undecidable`.
    """
    if settings.kubevirt.namespace != AUTO:
        return settings.kubevirt.namespace
    installed = {kubevirt.namespace for kubevirt in cluster.list(KUBEVIRTS)}
    return installed.pop() if len(installed) == 1 else "kubevirt"


def _context(cluster: Cluster, settings: Settings) -> ClusterContext:
    namespace = namespace_of_kubevirt(cluster, settings)
    found = sorted(cluster.list(KUBEVIRTS), key=lambda kubevirt: kubevirt.namespace != namespace)
    kubevirt = found[0] if found else KubeVirtFacts()
    version = kubevirt.version if settings.kubevirt.version == AUTO else settings.kubevirt.version
    found_version = re.match(r"v?1\.(\d{1,4})(?:\D|$)", version or "")
    numbers = (1, int(found_version[1])) if found_version else NEWEST_KUBEVIRT
    return ClusterContext(numbers, kubevirt, tuple(cluster.list(NODES)))
