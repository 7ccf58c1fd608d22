"""evaluate: object → machine → claims → verdict, the one way that every verdict takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from msgspec import structs

from webhook.claims import as_it_is, resolve
from webhook.cluster import Cluster, Snapshot
from webhook.cluster.facts import KubeVirtFacts, NamespaceFacts
from webhook.cluster.resources import INSTANCES, KUBEVIRTS, NAMESPACES, NODES
from webhook.machines import machine_kind, read_machine
from webhook.machines.mark import lacking, marked, may_be_marked_anew, operations_on
from webhook.machines.reader import without_matchers
from webhook.names import ENFORCEMENT, REASON
from webhook.objects import Object, at, mapping, string_map, text
from webhook.policy import Bearer, Case, Surroundings, Verdict, exempted, judge, judge_start, unverified
from webhook.policy.exemptions import Exempted
from webhook.settings import AUTO, MODES, Settings

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
    view = _view(obj, state, settings)
    if view is None:
        return unjudged(obj)
    case = replace(view.case(obj), exempted=view.exempted(bearer, now))
    before = view.case(old) if old else None
    waited_for = marked(old) if old else frozenset()
    verdict = judge(case, before, view.settings, operation, final=final, unverified=waited_for)
    if before is not None and before.machine.has_instance and not verdict.allowed:
        before = _with_mounted(before, state)
        verdict = judge(case, before, view.settings, operation, final=final, unverified=waited_for)
    if old and not may_be_marked_anew(obj, old):
        names = waited_for
    else:
        names = unverified(case, verdict.violations, waited_for, before.machine if before else None)
    if not final:
        verdict = replace(verdict, marking=operations_on(obj, names))
    elif view.settings.mode == "deny":
        verdict = replace(verdict, lacking=lacking(obj, names))
    if not state.is_live and any(violation.exempt for violation in verdict.violations):
        verdict.unjudged.append("exempt by label: offline, nobody was asked whether its author may exempt")
    return verdict


def evaluate_start(
    bearer: Object,
    obj: Object,
    names: frozenset[str],
    state: Cluster,
    settings: Settings,
    now: datetime | None = None,
    *,
    foretold: bool = False,
) -> Verdict:
    """Return the verdict on a machine that starts, on these names of its mark alone; ``bearer``'s labels exempt it.

    An exemption that has ended counts for what was there before: that may start. A claim that is only foretold is not
    there, unless ``foretold`` says that it shall count. Raises `webhook.cluster.Undecidable`.
    """
    view = _view(obj, state, settings)
    if view is None:
        return unjudged(obj)
    case = replace(view.case(obj), exempted=view.exempted(bearer, now, after_the_end=True))
    if not foretold:
        case = replace(case, claims={name: as_it_is(claim) for name, claim in case.claims.items()})
    inline = view.case(without_matchers(bearer)) if bearer.get("kind") == "VirtualMachine" else None
    return judge_start(case, names, view.settings, inline)


def enforced_in(namespace: NamespaceFacts | None, settings: Settings) -> Settings:
    """Return the settings with the mode capped by the namespace's label."""
    level = namespace.labels.get(ENFORCEMENT) if namespace else None
    if level not in MODES:
        return settings
    return structs.replace(settings, mode=min(settings.mode, level, key=MODES.index))


@dataclass(frozen=True, slots=True)
class _View:
    """What a machine is judged by: the cluster, its namespace and the settings that are in force there."""

    cluster: Cluster
    namespace: NamespaceFacts | None
    settings: Settings
    surroundings: Surroundings

    def case(self, obj: Object) -> Case:
        machine = read_machine(obj, self.cluster, self.surroundings.kubevirt)
        claims = resolve(machine, self.cluster, self.settings.trident.namespace)
        return Case(machine, claims, self.surroundings, self.settings.eviction_strategy)

    def exempted(self, bearer: Object, now: datetime | None, *, after_the_end: bool = False) -> Exempted:
        labels = string_map(at(bearer, "metadata", "labels"))
        bearers = [Bearer("the machine", labels, text(at(bearer, "metadata", "annotations", REASON)))]
        if self.namespace:
            bearers.append(Bearer("its namespace", self.namespace.labels, self.namespace.reason))
        today = (now or datetime.now(UTC)).astimezone(UTC).date()
        return exempted(bearers, self.settings.exemptions, today, after_the_end=after_the_end)


def _view(obj: Object, cluster: Cluster, settings: Settings) -> _View | None:
    """What an object is judged by; None where nothing is judged."""
    if settings.mode == "off":
        return None
    namespace = cluster.get(NAMESPACES, unjudged(obj).namespace)
    settings = enforced_in(namespace, settings)
    if settings.mode == "off":
        return None
    return _View(cluster, namespace, settings, _surroundings(cluster, settings))


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


def namespace_of_kubevirt(cluster: Cluster, settings: Settings) -> str:
    """Return the namespace in which KubeVirt is: the one of the settings, else that of the one KubeVirt CR.

    Without a CR, or with several, it is "kubevirt". Raises `webhook.cluster.Undecidable`.
    """
    if settings.kubevirt.namespace != AUTO:
        return settings.kubevirt.namespace
    installed = {kubevirt.namespace for kubevirt in cluster.list(KUBEVIRTS)}
    return installed.pop() if len(installed) == 1 else "kubevirt"


def _surroundings(cluster: Cluster, settings: Settings) -> Surroundings:
    namespace = namespace_of_kubevirt(cluster, settings)
    found = sorted(cluster.list(KUBEVIRTS), key=lambda kubevirt: kubevirt.namespace != namespace)
    kubevirt = found[0] if found else KubeVirtFacts()
    said = kubevirt.version if settings.kubevirt.version == AUTO else settings.kubevirt.version
    return Surroundings(_major_and_minor(said), kubevirt, tuple(cluster.list(NODES)))


def _major_and_minor(version: str | None) -> tuple[int, int]:
    """The version to judge by; one that is not said, or that KubeVirt does not count like this, is the newest known."""
    found = re.match(r"v?1\.(\d{1,4})(?:\D|$)", version or "")
    return (1, int(found[1])) if found else NEWEST_KUBEVIRT
