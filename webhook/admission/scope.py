"""Which requests are judged at all, and as what."""

from __future__ import annotations

from typing import Any

from webhook.admission.review import Request
from webhook.objects import at, items, mapping
from webhook.settings import Settings

GROUP = "kubevirt.io"

KIND_OF_RESOURCE = {"virtualmachines": "VirtualMachine", "virtualmachineinstances": "VirtualMachineInstance"}
"""The resources of ``kubevirt.io`` that are judged, and the kind of machine that each holds."""

WHAT_MATTERS: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {
    ("virtualmachines", ""): (
        ("spec", "template"),
        ("spec", "dataVolumeTemplates"),
        ("spec", "instancetype"),
        ("spec", "preference"),
        ("spec", "updateVolumesStrategy"),
    ),
    ("virtualmachines", "status"): (("status", "volumeRequests"),),
    ("virtualmachineinstances", ""): (
        ("spec", "volumes"),
        ("spec", "domain", "devices"),
        ("spec", "networks"),
        ("spec", "evictionStrategy"),
    ),
}
"""By resource and subresource, the paths of which one must change before an update can bring a violation.

A VirtualMachineInstance has no status subresource, so every heartbeat of a node is an update of the whole object.
"""


def is_judged(request: Request) -> bool:
    """Say whether a request can bring a violation.

    What is being deleted is let go, since KubeVirt removes its finalizers by updates; so is an update that changes
    nothing a rule looks at.
    """
    paths = WHAT_MATTERS.get((request.resource, request.subresource))
    if request.group != GROUP or paths is None or at(request.obj, "metadata", "deletionTimestamp"):
        return False
    if request.operation == "UPDATE":
        return any(at(request.obj, *path) != at(request.old, *path) for path in paths)
    return request.operation == "CREATE"


def is_made_for_owner(request: Request, settings: Settings) -> bool:
    """Say whether KubeVirt creates this machine for another object, which was judged in its place.

    A virtual machine that ran before must start again, whatever it violates.
    """
    controller = f"system:serviceaccount:{settings.kubevirt.namespace}:kubevirt-controller"
    owners = items(at(request.obj, "metadata", "ownerReferences"))
    owned = any(at(owner, "controller") is True for owner in owners)
    return request.operation == "CREATE" and owned and request.user == controller


def as_machine(obj: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return the object with what the request says of it and it may not: its kind, namespace and name.

    A machine that is being created has no status yet; the one that somebody wrote into it says nothing.
    """
    metadata = dict(mapping(obj.get("metadata")))
    metadata["namespace"] = request.namespace or metadata.get("namespace")
    if request.name:
        metadata["name"] = request.name
    kept = {key: value for key, value in obj.items() if key != "status" or request.operation != "CREATE"}
    return {**kept, "kind": KIND_OF_RESOURCE[request.resource], "metadata": metadata}
