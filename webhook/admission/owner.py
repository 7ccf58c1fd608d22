"""The object that KubeVirt makes a machine for, which was judged in the machine's place."""

from __future__ import annotations

from webhook.admission.review import Request
from webhook.cluster import Cluster
from webhook.cluster.facts import OwnerFacts
from webhook.cluster.resources import POOLS, REPLICA_SETS, VIRTUAL_MACHINES, Resource
from webhook.objects import Object, at, items, mapping, text
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
    if not is_kubevirt_controller(request, settings):
        return None
    for reference in items(at(request.old or request.obj, "metadata", "ownerReferences")):
        resource = _OWNERS.get(text(at(reference, "kind")) or "")
        if at(reference, "controller") is True and resource is not None:
            found = cluster.get(resource, text(at(reference, "name")) or "", request.namespace)
            return found if found and found.uid and found.uid == at(reference, "uid") else None
    return None


def is_kubevirt_controller(request: Request, settings: Settings) -> bool:
    """Say whether KubeVirt's own controller makes the request."""
    return request.user == f"system:serviceaccount:{settings.kubevirt.namespace}:kubevirt-controller"


def with_volumes_of(owner: OwnerFacts, instance: Object) -> Object:
    """Return a VirtualMachineInstance with its VirtualMachine's volumes beside its own: those were judged with it."""
    declared = items(at(owner.obj, "spec", "template", "spec", "volumes"))
    requests = (
        mapping(at(request, "addVolumeOptions")) for request in items(at(owner.obj, "status", "volumeRequests"))
    )
    requested = ({"name": found.get("name"), **mapping(found.get("volumeSource"))} for found in requests)
    spec = mapping(instance.get("spec"))
    return {**instance, "spec": {**spec, "volumes": [*items(spec.get("volumes")), *declared, *requested]}}
