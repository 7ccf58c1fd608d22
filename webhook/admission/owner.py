"""The object that KubeVirt makes a machine for, which was judged in the machine's place."""

from __future__ import annotations

from typing import Any

from webhook.admission.review import Request
from webhook.cluster import Cluster
from webhook.cluster.facts import OwnerFacts
from webhook.cluster.resources import POOLS, REPLICA_SETS, VIRTUAL_MACHINES, Resource
from webhook.objects import at, items, mapping, text
from webhook.settings import Settings

_OWNERS: dict[str, Resource[OwnerFacts]] = {
    "VirtualMachine": VIRTUAL_MACHINES,
    "VirtualMachineInstanceReplicaSet": REPLICA_SETS,
    "VirtualMachinePool": POOLS,
}


def owner_of(request: Request, cluster: Cluster, settings: Settings) -> OwnerFacts | None:
    """Return the live object that KubeVirt's controller acts for with this request, None where it acts for none.

    Anybody can write an ownerReference: it counts in a request of kubevirt-controller's, where a live object has its
    uid, and on an update as the old object has it. Raises `webhook.cluster.Undecidable`.
    """
    if request.user != f"system:serviceaccount:{settings.kubevirt.namespace}:kubevirt-controller":
        return None
    for reference in items(at(request.old or request.obj, "metadata", "ownerReferences")):
        resource = _OWNERS.get(text(at(reference, "kind")) or "")
        if at(reference, "controller") is True and resource is not None:
            found = cluster.get(resource, text(at(reference, "name")) or "", request.namespace)
            return found if found and found.uid and found.uid == at(reference, "uid") else None
    return None


def with_volumes_of(owner: OwnerFacts, instance: dict[str, Any]) -> dict[str, Any]:
    """Return a VirtualMachineInstance with its owner's volumes beside its own: they were judged with the owner."""
    spec = mapping(instance.get("spec"))
    return {**instance, "spec": {**spec, "volumes": [*items(spec.get("volumes")), *owner.volumes]}}
