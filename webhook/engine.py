"""evaluate: object → machine → claims → verdict, the one way that every verdict takes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from webhook.claims import resolve
from webhook.cluster import Cluster, Snapshot
from webhook.cluster.resources import KUBEVIRTS, NODES
from webhook.machines import Machine, read_machine
from webhook.objects import Object
from webhook.policy import Case, Surroundings, Verdict, judge
from webhook.settings import Settings


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
    state: Cluster = Snapshot(cluster) if isinstance(cluster, Iterable) else cluster
    surroundings = _surroundings(state, settings)
    case = _case(read_machine(obj), state, surroundings, settings)
    before = _case(read_machine(old), state, surroundings, settings) if old else None
    return judge(case, before, settings, operation, final=final)


def _case(machine: Machine, cluster: Cluster, surroundings: Surroundings, settings: Settings) -> Case:
    return Case(machine, resolve(machine, cluster), surroundings, settings.evictionStrategy)


def _surroundings(cluster: Cluster, settings: Settings) -> Surroundings:
    kubevirts = sorted(cluster.list(KUBEVIRTS), key=lambda found: found.namespace != settings.kubevirt.namespace)
    nodes = cluster.list(NODES)
    labelled = any(node.kubevirt_schedulable is not None for node in nodes)
    schedulable = [node for node in nodes if not node.unschedulable and (node.kubevirt_schedulable or not labelled)]
    return Surroundings(
        default_eviction_strategy=kubevirts[0].eviction_strategy if kubevirts else None,
        schedulable_nodes=len(schedulable) if nodes else None,
    )
