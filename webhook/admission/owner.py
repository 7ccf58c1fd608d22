"""The object that KubeVirt makes a machine for, which was judged in the machine's place."""

from __future__ import annotations

import re
from dataclasses import replace

from webhook.admission.review import Request
from webhook.cluster import Cluster
from webhook.cluster.facts import OwnerFacts
from webhook.cluster.resources import KUBEVIRTS, POOLS, REPLICA_SETS, RESTORES, VIRTUAL_MACHINES, Resource
from webhook.objects import Object, at, items, mapping, text
from webhook.settings import Settings

_RESTORED_BY = "restore.kubevirt.io/lastRestoreUID"
_UID = 36
_ACCOUNT = re.compile(r"system:serviceaccount:([^:]+):kubevirt-[a-z-]+")
_OWNERS: dict[str, Resource[OwnerFacts]] = {
    "VirtualMachine": VIRTUAL_MACHINES,
    "VirtualMachineInstanceReplicaSet": REPLICA_SETS,
    "VirtualMachinePool": POOLS,
}


def owner_of(request: Request, cluster: Cluster, settings: Settings) -> OwnerFacts | None:
    """Return the live object that KubeVirt acts for with this request, None where it acts for none.

    Anybody can write an ownerReference: it counts in a request of KubeVirt's own accounts, on a creation only of
    kubevirt-controller's, where a live object has its uid; on an update as the old object has it. An instance has the
    name of its VirtualMachine. Raises `webhook.cluster.Undecidable`.
    """
    if not (is_kubevirt_controller(request, settings) if request.old is None else is_of_kubevirt(request, settings)):
        return None
    for reference in items(at(request.old or request.obj, "metadata", "ownerReferences")):
        kind, name = text(at(reference, "kind")) or "", text(at(reference, "name")) or ""
        resource = _OWNERS.get(kind)
        if at(reference, "controller") is not True or resource is None:
            continue
        if kind == "VirtualMachine" and name != request.name:
            return None
        found = cluster.get(resource, name, request.namespace)
        return found if found and found.uid and found.uid == at(reference, "uid") else None
    return None


def is_restored(request: Request, cluster: Cluster, settings: Settings) -> bool:
    """Say whether KubeVirt creates this VirtualMachine for a live restore, which was judged in its place."""
    said = text(at(request.obj, "metadata", "annotations", _RESTORED_BY)) or ""
    if not is_kubevirt_controller(request, settings) or request.resource != "virtualmachines" or len(said) < _UID + 2:
        return False
    name, uid = said[: -_UID - 1], said[-_UID:]
    found = cluster.get(RESTORES, name, request.namespace)
    return found is not None and found.uid == uid and found.target == request.name


def located(request: Request, cluster: Cluster, settings: Settings) -> Settings:
    """Return the settings with the namespace in which KubeVirt really is.

    Where the request comes from a service account of KubeVirt's name in another namespace than the settings name, the
    one KubeVirt CR says which is right. Raises `webhook.cluster.Undecidable`.
    """
    found = _ACCOUNT.fullmatch(request.user)
    if found is None or found[1] == settings.kubevirt.namespace:
        return settings
    installed = {kubevirt.namespace for kubevirt in cluster.list(KUBEVIRTS)}
    if settings.kubevirt.namespace in installed or found[1] not in installed:
        return settings
    return replace(settings, kubevirt=replace(settings.kubevirt, namespace=found[1]))


def is_kubevirt_controller(request: Request, settings: Settings) -> bool:
    """Say whether KubeVirt's own controller makes the request."""
    return request.user == f"system:serviceaccount:{settings.kubevirt.namespace}:kubevirt-controller"


def is_of_kubevirt(request: Request, settings: Settings) -> bool:
    """Say whether one of KubeVirt's service accounts makes the request."""
    return request.user.startswith(f"system:serviceaccount:{settings.kubevirt.namespace}:kubevirt-")


def with_volumes_of(owner: OwnerFacts, instance: Object) -> Object:
    """Return a VirtualMachineInstance with its VirtualMachine's volumes beside its own: those were judged with it."""
    declared = items(at(owner.obj, "spec", "template", "spec", "volumes"))
    requests = (
        mapping(at(request, "addVolumeOptions")) for request in items(at(owner.obj, "status", "volumeRequests"))
    )
    requested = ({"name": found.get("name"), **mapping(found.get("volumeSource"))} for found in requests)
    spec = mapping(instance.get("spec"))
    return {**instance, "spec": {**spec, "volumes": [*items(spec.get("volumes")), *declared, *requested]}}
