"""evaluate: object → machine → claims → verdict, the one way that every verdict takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from webhook.claims import resolve
from webhook.cluster import Cluster, Snapshot
from webhook.cluster.facts import KubeVirtFacts, NamespaceFacts
from webhook.cluster.resources import INSTANCES, KUBEVIRTS, NAMESPACES, NODES
from webhook.machines import machine_kind, read_machine
from webhook.names import ENFORCEMENT, REASON
from webhook.objects import Object, at, mapping, string_map, text
from webhook.policy import Bearer, Case, Surroundings, Verdict, exempted, judge
from webhook.policy.exemptions import Exempted
from webhook.settings import MODES, Settings

NEWEST_KUBEVIRT = (1, 9)


def evaluate(
    obj: Object,
    cluster: Iterable[Object] | Cluster,
    old: Object | None = None,
    settings: Settings | None = None,
    operation: str = "CREATE",
    final: bool = False,
    now: datetime | None = None,
) -> Verdict:
    """Return the verdict on a machine.

    ``obj`` and ``old`` are objects of a machine's kind as the API server sends them; ``cluster`` is an iterable of
    Kubernetes objects or a `Cluster`. What ``old`` already violates, by the facts of now, is tolerated. With ``final``
    the object is judged as it stands (the validating side), else as it is after our own patch. ``now`` is the time for
    exemptions; None reads the clock.

    Raises `webhook.cluster.Undecidable` where a live cluster cannot say, and ValueError where ``obj`` is no machine.
    """
    state: Cluster = Snapshot(cluster) if isinstance(cluster, Iterable) else cluster
    return evaluate_for(obj, obj, state, old, settings or Settings(), operation, final, now)


def evaluate_for(
    bearer: Object,
    obj: Object,
    state: Cluster,
    old: Object | None,
    settings: Settings,
    operation: str,
    final: bool = False,
    now: datetime | None = None,
) -> Verdict:
    """Return the verdict on a machine as `evaluate` does; the labels of ``bearer`` exempt it, not its own."""
    nothing = unjudged(obj)
    if settings.mode == "off":
        return nothing
    namespace = state.get(NAMESPACES, nothing.namespace)
    settings = enforced_in(namespace, settings)
    if settings.mode == "off":
        return nothing
    surroundings = _surroundings(state, settings)
    case = _case(obj, state, surroundings, settings)
    waived = _exempted(bearer, namespace, settings, now or datetime.now(UTC))
    case = replace(case, exempted=waived)
    before = _case(old, state, surroundings, settings) if old else None
    verdict = judge(case, before, settings, operation, final=final)
    if before is not None and before.machine.has_instance and not verdict.allowed:
        verdict = judge(case, _with_mounted(before, state), settings, operation, final=final)
    if not state.asks_for_rights and any(violation.exempt for violation in verdict.violations):
        verdict.unjudged.append("exempt by label: offline, nobody was asked whether its author may exempt")
    return verdict


def enforced_in(namespace: NamespaceFacts | None, settings: Settings) -> Settings:
    """Return the settings with the mode capped by the namespace's label."""
    level = namespace.labels.get(ENFORCEMENT) if namespace else None
    if level not in MODES:
        return settings
    return replace(settings, mode=min(settings.mode, level, key=MODES.index))


def _exempted(bearer: Object, namespace: NamespaceFacts | None, settings: Settings, now: datetime) -> Exempted:
    bearers = [
        Bearer(
            "the machine",
            string_map(at(bearer, "metadata", "labels")),
            text(at(bearer, "metadata", "annotations", REASON)),
        )
    ]
    if namespace:
        bearers.append(Bearer("its namespace", namespace.labels, namespace.reason))
    return exempted(bearers, settings.exemptions, now.astimezone(UTC).date())


def _with_mounted(before: Case, cluster: Cluster) -> Case:
    """The old case with what its running instance still mounts: going back to that is no fault."""
    machine = before.machine
    instance = cluster.get(INSTANCES, machine.name, machine.namespace)
    mounted = instance.claims if instance else frozenset()
    return replace(before, machine=replace(machine, former_claims=machine.former_claims | mounted))


def unjudged(obj: Object) -> Verdict:
    """Return the verdict on a machine that nobody looks at; raises ValueError where the object is no machine."""
    kind = machine_kind(obj)
    metadata = mapping(obj.get("metadata"))
    name = text(metadata.get("name")) or text(metadata.get("generateName")) or ""
    return Verdict(kind, text(metadata.get("namespace")) or "default", name)


def _case(obj: Object, cluster: Cluster, surroundings: Surroundings, settings: Settings) -> Case:
    machine = read_machine(obj, cluster, surroundings.kubevirt)
    return Case(machine, resolve(machine, cluster, settings.trident.namespace), surroundings, settings.evictionStrategy)


def _surroundings(cluster: Cluster, settings: Settings) -> Surroundings:
    found = sorted(cluster.list(KUBEVIRTS), key=lambda kubevirt: kubevirt.namespace != settings.kubevirt.namespace)
    kubevirt = found[0] if found else KubeVirtFacts()
    said = kubevirt.version if settings.kubevirt.version == "auto" else settings.kubevirt.version
    return Surroundings(_major_and_minor(said), kubevirt, tuple(cluster.list(NODES)))


def _major_and_minor(version: str | None) -> tuple[int, int]:
    """The version to judge by; one that is not said, or that KubeVirt does not count like this, is the newest known."""
    found = re.match(r"v?1\.(\d{1,4})(?:\D|$)", version or "")
    return (1, int(found[1])) if found else NEWEST_KUBEVIRT
