"""evaluate: object → machine → claims → verdict, the one way that every verdict takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from webhook.claims import resolve
from webhook.cluster import Cluster, Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.cluster.resources import KUBEVIRTS, NODES
from webhook.machines import machine_kind, read_machine
from webhook.objects import Object, mapping, text
from webhook.policy import Case, Surroundings, Verdict, judge
from webhook.settings import Settings

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
    settings = settings or Settings()
    if settings.mode == "off":
        return unjudged(obj)
    state: Cluster = Snapshot(cluster) if isinstance(cluster, Iterable) else cluster
    surroundings = _surroundings(state, settings)
    case = _case(obj, state, surroundings, settings)
    before = _case(old, state, surroundings, settings) if old else None
    return judge(case, before, settings, operation, final=final)


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
