"""Which requests are evaluated at all, and as what."""

from __future__ import annotations

from typing import Any

from webhook.admission.compared import Compared, compared_in
from webhook.admission.review import Request
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
"""The resources that are evaluated, by group and plural name, and the kind of VM that each holds."""

KIND_OF_RESTORE_OR_CLONE = {
    (SNAPSHOT, "virtualmachinerestores"): "VirtualMachineRestore",
    (CLONE, "virtualmachineclones"): "VirtualMachineClone",
}
"""The resources from which KubeVirt creates a VM, which are evaluated themselves."""

KINDS = {**KIND_OF_RESOURCE, **KIND_OF_RESTORE_OR_CLONE, ("", "namespaces"): "Namespace"}
"""All resources whose changes matter, and the kind that each holds."""

COMPARED: dict[tuple[str, str, str], Compared] = {
    **{(*which, ""): compared_in(kind) for which, kind in KIND_OF_RESOURCE.items()},
    (KUBEVIRT, "virtualmachines", "status"): Compared(requests=True),
}
"""By group, resource and subresource, what must change before an update can add a violation.

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


def is_evaluated(request: Request) -> bool:
    """Say whether the rules are evaluated: a creation, or an update that changes what is compared.

    What is being deleted is not evaluated, since KubeVirt removes its finalizers by updates.
    """
    compared = COMPARED.get((request.group, request.resource, request.subresource))
    is_being_deleted = bool(at(request.old, "metadata", "deletionTimestamp"))
    if compared is None or request.obj is None or is_being_deleted:
        return False
    return request.operation == "CREATE" or compared.differs(request.obj, request.old or {})


def kind_of(request: Request) -> str:
    """Return the kind of VM, restore or clone, or Namespace, that a request is about; "" for any other."""
    return KINDS.get((request.group, request.resource), "")


def as_named(obj: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return the object with the kind, namespace and name that the request gives it, which it may lack itself.

    On a CREATE without its status: a new VM has none, whatever its user writes there.
    """
    metadata = dict(mapping(obj.get("metadata")))
    metadata["namespace"] = request.namespace or metadata.get("namespace")
    if request.name:
        metadata["name"] = request.name
    kept = {key: value for key, value in obj.items() if key != "status" or request.operation != "CREATE"}
    return {**kept, "kind": kind_of(request), "metadata": metadata}
