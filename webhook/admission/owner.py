"""The object that KubeVirt makes a machine for, which was judged in the machine's place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from webhook.admission.review import Request
from webhook.cluster import Cluster
from webhook.cluster.facts import OwnerFacts, RestoreFacts
from webhook.cluster.resources import CLONES, OWNERS, RESTORES
from webhook.engine import namespace_of_kubevirt
from webhook.machines.copies import RESTORED_BY
from webhook.objects import Object, at, items, mapping, text
from webhook.settings import Settings

_UID = 36
_INSTANCES = "virtualmachineinstances"
_ACCOUNT = re.compile(r"system:serviceaccount:[^:]+:kubevirt-")


def owner_of(request: Request, cluster: Cluster, settings: Settings) -> OwnerFacts | None:
    """Return the live object that KubeVirt acts for with this request, None where it acts for none.

    Anybody can write an ownerReference, and the patches of a restore can: it counts only in a request of
    kubevirt-controller's, on an update as the old object has it, where a live object has its uid, for a machine as
    KubeVirt makes it for that owner, and that no restore made. What kubevirt-apiserver plugs into an instance
    for a user is its VirtualMachine's as well: no other has that name. An instance starts although the cluster does not
    hold its owner: that one is without labels. Raises `webhook.cluster.Undecidable`.
    """
    said = request.old or request.obj
    if not is_of_kubevirt(request, settings) or _is_restored(request):
        return None
    for kind, name, uid in _controllers(said):
        resource = OWNERS.get(kind)
        if resource is None or not _is_made_for(request, kind, name):
            continue
        is_plugged = request.old is not None and kind == "VirtualMachine"
        if not is_plugged and not is_kubevirt_controller(request, settings):
            continue
        found = cluster.get(resource, name, request.namespace)
        if found is None and request.resource == _INSTANCES and request.old is None:
            return OwnerFacts(uid, {})
        return found if found and found.uid == uid else None
    return None


def owner_now(machine: Object, cluster: Cluster) -> OwnerFacts | None:
    """Return the live object whose machine a stored machine is, None where it has none.

    Raises `webhook.cluster.Undecidable`.
    """
    namespace = text(at(machine, "metadata", "namespace")) or ""
    for kind, name, uid in _controllers(machine):
        found = cluster.get(OWNERS[kind], name, namespace) if kind in OWNERS else None
        if found is not None and found.uid == uid:
            return found
    return None


def _is_restored(request: Request) -> bool:
    """Whether a restore makes this VirtualMachine. Into an instance its user can write the annotation."""
    is_new_machine = request.old is None and request.resource == "virtualmachines"
    return is_new_machine and at(request.obj, "metadata", "annotations", RESTORED_BY) is not None


def _controllers(obj: Object | None) -> Iterator[tuple[str, str, str]]:
    """Kind, name and uid of the controllers that an object's ownerReferences name."""
    for reference in items(at(obj, "metadata", "ownerReferences")):
        said = tuple(text(at(reference, key)) for key in ("kind", "name", "uid"))
        if at(reference, "controller") is True and all(said):
            yield said[0] or "", said[1] or "", said[2] or ""


def _is_made_for(request: Request, kind: str, owner: str) -> bool:
    """A Pool numbers its VirtualMachines, an instance has its VirtualMachine's name, or any in a ReplicaSet."""
    if kind == "VirtualMachinePool":
        numbered = re.fullmatch(re.escape(owner) + r"-\d+", request.name) is not None
        return request.resource == "virtualmachines" and numbered
    is_named = kind != "VirtualMachine" or request.name == owner
    return request.resource == _INSTANCES and is_named


def maker_of(request: Request, cluster: Cluster, settings: Settings) -> Object | None:
    """Return the live restore, or the clone behind it, for which kubevirt-controller creates this VirtualMachine.

    Raises `webhook.cluster.Undecidable`.
    """
    said = text(at(request.obj, "metadata", "annotations", RESTORED_BY)) or ""
    if not is_kubevirt_controller(request, settings) or request.resource != "virtualmachines" or len(said) < _UID + 2:
        return None
    restore = cluster.get(RESTORES, said[: -_UID - 1], request.namespace)
    if restore is None or restore.uid != said[-_UID:] or restore.target != request.name:
        return None
    return _clone_behind(restore, request.namespace, cluster) or restore.obj


def _clone_behind(restore: RestoreFacts, namespace: str, cluster: Cluster) -> Object | None:
    for kind, name, uid in _controllers(restore.obj):
        clone = cluster.get(CLONES, name, namespace) if kind == "VirtualMachineClone" else None
        if clone is not None and clone.uid == uid:
            return clone.obj
    return None


def located(request: Request, cluster: Cluster, settings: Settings) -> Settings:
    """Return the settings with the namespace in which KubeVirt really is.

    It is asked only where a service account of KubeVirt's names makes the request. Raises
    `webhook.cluster.Undecidable`.
    """
    if not _ACCOUNT.match(request.user):
        return settings
    return replace(settings, kubevirt=replace(settings.kubevirt, namespace=namespace_of_kubevirt(cluster, settings)))


def is_kubevirt_controller(request: Request, settings: Settings) -> bool:
    """Say whether KubeVirt's own controller makes the request."""
    return request.user == f"system:serviceaccount:{settings.kubevirt.namespace}:kubevirt-controller"


def is_of_kubevirt(request: Request, settings: Settings) -> bool:
    """Say whether one of KubeVirt's service accounts makes the request."""
    return request.user.startswith(f"system:serviceaccount:{settings.kubevirt.namespace}:kubevirt-")


def with_volumes_of(owner: OwnerFacts, instance: Object) -> Object:
    """Return a VirtualMachineInstance with its VirtualMachine's volumes beside its own: those were judged with it."""
    declared = items(at(owner.obj, "spec", "template", "spec", "volumes"))
    pending = items(at(owner.obj, "status", "volumeRequests"))
    requests = (mapping(at(request, "addVolumeOptions")) for request in pending)
    requested = ({"name": found.get("name"), **mapping(found.get("volumeSource"))} for found in requests)
    spec = mapping(instance.get("spec"))
    return {**instance, "spec": {**spec, "volumes": [*items(spec.get("volumes")), *declared, *requested]}}
