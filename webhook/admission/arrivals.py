"""Claims and DataVolumes that arrive under a name which a machine waits for, as its mark says.

They are never refused: refusing the DataVolume of kubevirt-controller's would wedge the whole machine, and a claim may
serve others. Who creates a bad one is warned, and the machine gets an Event.
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.admission.owner import owner_now
from webhook.admission.review import Request
from webhook.admission.scope import ARRIVALS
from webhook.cluster import Cluster
from webhook.cluster.overlay import Overlay
from webhook.cluster.resources import MARKED_MACHINES, OWNERS
from webhook.engine import evaluate_start
from webhook.objects import Object, at, mapping, text
from webhook.policy import Violation
from webhook.settings import Settings
from webhook.wording import quoted, warning

EVENT = "NotLiveMigratable"
_MOST_MACHINES = 8


def is_arrival(request: Request) -> bool:
    """Say whether a request creates what a machine may wait for."""
    return (request.group, request.resource) in ARRIVALS and request.operation == "CREATE" and not request.subresource


def receive(request: Request, cluster: Cluster, settings: Settings) -> list[str]:
    """Return the warnings for who creates a claim or a DataVolume, and leave Events on the machines that wait for it.

    Raises `webhook.cluster.Undecidable`.
    """
    resource, obj = ARRIVALS[request.group, request.resource], mapping(request.obj)
    name = request.name or text(at(obj, "metadata", "name")) or ""
    metadata = {**mapping(obj.get("metadata")), "name": name, "namespace": request.namespace}
    there = Overlay(cluster, resource, request.namespace, {name: resource.read({**obj, "metadata": metadata})})
    spoilt = list(_spoilt(name, request.namespace, there, settings))
    warnings = []
    for machine, violation in spoilt:
        which = f"{machine['kind']} {quoted(machine['metadata']['name'])}"
        warnings.append(warning(f"{which} will not start with it: {violation.what}", violation.rule))
        if not request.dry_run:
            cluster.tell(machine, EVENT, violation.cause)
    return warnings


def _spoilt(name: str, namespace: str, cluster: Cluster, settings: Settings) -> Iterator[tuple[Object, Violation]]:
    """The machines that wait for what arrives, each with what is wrong with it."""
    names = frozenset({f"claim/{name}"})
    waiting = [
        (kind.kind, mark.name)
        for kind in MARKED_MACHINES
        for mark in cluster.list(kind)
        if mark.namespace == namespace and names <= mark.names
    ]
    for kind, machine_name in waiting[:_MOST_MACHINES]:
        machine = cluster.get(OWNERS[kind], machine_name, namespace)
        if machine is not None:
            bearer = owner_now(machine.obj, cluster) or machine
            verdict = evaluate_start(bearer.obj, machine.obj, names, cluster, settings, foretold=True)
            yield from ((machine.obj, violation) for violation in verdict.violations if violation.refuses)
