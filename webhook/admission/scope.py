"""Which requests are judged at all, and as what."""

from __future__ import annotations

from typing import Any

from webhook.admission.review import Request
from webhook.machines.hardware import POD_BRIDGE_ANNOTATION
from webhook.names import MARK
from webhook.objects import at, mapping

KUBEVIRT, POOL = "kubevirt.io", "pool.kubevirt.io"
SNAPSHOT, CLONE = "snapshot.kubevirt.io", "clone.kubevirt.io"
_INSTANCES = "virtualmachineinstances"

KIND_OF_RESOURCE = {
    (KUBEVIRT, "virtualmachines"): "VirtualMachine",
    (KUBEVIRT, _INSTANCES): "VirtualMachineInstance",
    (KUBEVIRT, "virtualmachineinstancereplicasets"): "VirtualMachineInstanceReplicaSet",
    (POOL, "virtualmachinepools"): "VirtualMachinePool",
}
"""The resources that are judged, by group and plural name, and the kind of machine that each holds."""

NAMESPACES = ("", "namespaces")

KIND_OF_COPY = {
    (SNAPSHOT, "virtualmachinerestores"): "VirtualMachineRestore",
    (CLONE, "virtualmachineclones"): "VirtualMachineClone",
}
"""The resources that make a machine of another, which are judged at their own creation."""

_MARK = ("metadata", "annotations", MARK)
_OF_VIRTUAL_MACHINE = (
    ("spec", "template"),
    ("spec", "dataVolumeTemplates"),
    ("spec", "instancetype"),
    ("spec", "preference"),
)

WHAT_MATTERS: dict[tuple[str, str, str], tuple[tuple[str, ...], ...]] = {
    (KUBEVIRT, "virtualmachines", ""): (*_OF_VIRTUAL_MACHINE, ("spec", "updateVolumesStrategy"), _MARK),
    (KUBEVIRT, "virtualmachines", "status"): (("status", "volumeRequests"),),
    (KUBEVIRT, _INSTANCES, ""): (
        ("spec", "volumes"),
        ("spec", "domain", "devices"),
        ("spec", "networks"),
        ("spec", "evictionStrategy"),
        ("metadata", "annotations", POD_BRIDGE_ANNOTATION),
    ),
    (KUBEVIRT, "virtualmachineinstancereplicasets", ""): (("spec", "template"), _MARK),
    (POOL, "virtualmachinepools", ""): (
        *(("spec", "virtualMachineTemplate", *path) for path in (("metadata",), *_OF_VIRTUAL_MACHINE)),
        _MARK,
    ),
}
"""By group, resource and subresource, the paths of which one must change before an update can bring a violation.

A VirtualMachineInstance has no status subresource, so every heartbeat of a node is an update of the whole object.
"""


PATCHED: dict[tuple[str, str, str], tuple[str, ...]] = {
    (KUBEVIRT, "virtualmachines", ""): ("CREATE", "UPDATE"),
    (KUBEVIRT, _INSTANCES, ""): ("CREATE",),
    (KUBEVIRT, "virtualmachineinstancereplicasets", ""): ("CREATE", "UPDATE"),
    (POOL, "virtualmachinepools", ""): ("CREATE", "UPDATE"),
}
"""By group, resource and subresource, the operations on which our patch may come."""


def is_patched(request: Request) -> bool:
    """Say whether our patch may come with a request."""
    return request.operation in PATCHED.get((request.group, request.resource, request.subresource), ())


def is_evaluated(request: Request, *, final: bool) -> bool:
    """Say whether a request can bring a violation, or, where it is not ``final``, whether a mark may go with it.

    What is being deleted is let go, since KubeVirt removes its finalizers by updates; so is an update that changes
    nothing a rule looks at. But each update of a marked machine is a chance to find good by now what the mark names.
    """
    paths = WHAT_MATTERS.get((request.group, request.resource, request.subresource))
    is_being_deleted = at(request.old, "metadata", "deletionTimestamp") is not None
    if paths is None or request.obj is None or is_being_deleted:
        return False
    if request.operation == "UPDATE":
        may_lift = not final and _MARK in paths and at(request.obj, *_MARK) is not None
        return may_lift or any(at(request.obj, *path) != at(request.old, *path) for path in paths)
    return request.operation == "CREATE"


def kind_of(request: Request) -> str:
    """Return the kind of machine, restore or clone, or Namespace, that a request is about; "" for any other."""
    which = (request.group, request.resource)
    return KIND_OF_RESOURCE.get(which) or KIND_OF_COPY.get(which) or ("Namespace" if which == NAMESPACES else "")


def as_named(obj: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return the object with what the request says of it and it may not: its kind, namespace and name.

    A machine that is being created has no status yet; the one that somebody wrote into it says nothing.
    """
    metadata = dict(mapping(obj.get("metadata")))
    metadata["namespace"] = request.namespace or metadata.get("namespace")
    if request.name:
        metadata["name"] = request.name
    kept = {key: value for key, value in obj.items() if key != "status" or request.operation != "CREATE"}
    return {**kept, "kind": kind_of(request), "metadata": metadata}
