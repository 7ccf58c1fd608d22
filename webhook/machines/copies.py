"""The VirtualMachine that a restore or a clone will make.

Sources: KubeVirt 1.9 ``pkg/storage/snapshot/restore.go`` (the snapshot's machine with the restore's patches, its claims
made anew with the access modes that they had), ``pkg/virt-controller/watch/clone`` (a clone is a snapshot and a restore
with the clone's patches).
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any

import jsonpatch

from webhook.cluster import Cluster
from webhook.cluster.facts import ClaimFacts
from webhook.cluster.resources import MACHINE_SNAPSHOT_CONTENTS, MACHINE_SNAPSHOTS, VIRTUAL_MACHINES
from webhook.objects import Object, at, items, mapping, text
from webhook.wording import quoted

RESTORE, CLONE = "VirtualMachineRestore", "VirtualMachineClone"
SOURCE_FIELD = {RESTORE: "spec.virtualMachineSnapshotName", CLONE: "spec.source"}
"""Where a restore and a clone say what they copy."""


_MOST_COPYING = 3
_UNPATCHABLE = (
    ValueError,
    TypeError,
    RecursionError,
    jsonpatch.JsonPatchException,
    jsonpatch.JsonPointerException,
)


@dataclass(frozen=True, slots=True)
class Copy:
    """The VirtualMachine to come, and its claims by name where they are made anew.

    ``replaces`` is the live machine that it overwrites, whose violations are tolerated; None for a new machine.
    """

    machine: Object
    claims: dict[str, ClaimFacts] = field(default_factory=dict)
    replaces: Object | None = None


def read_copy(obj: Object, namespace: str, cluster: Cluster) -> Copy | str:
    """Return what a VirtualMachineRestore or VirtualMachineClone makes, or a phrase that says why nobody can tell.

    Raises Undecidable where the cluster cannot say.
    """
    spec = mapping(obj.get("spec"))
    if obj.get("kind") == RESTORE:
        found = _of_snapshot(text(spec.get("virtualMachineSnapshotName")) or "", namespace, cluster)
    else:
        found = _of_source(mapping(spec.get("source")), namespace, cluster)
    if isinstance(found, str):
        return found
    target = text(at(spec, "target", "name"))
    if obj.get("kind") == RESTORE and target == at(found.machine, "metadata", "name"):
        live = cluster.get(VIRTUAL_MACHINES, target or "", namespace)
        if live is not None:
            return Copy(_named(found.machine, target, namespace), found.claims, live.obj)
    return _patched(Copy(_named(found.machine, target, namespace), found.claims), spec)


def _of_source(source: Object, namespace: str, cluster: Cluster) -> Copy | str:
    name = text(source.get("name")) or ""
    if source.get("kind") == "VirtualMachineSnapshot":
        return _of_snapshot(name, namespace, cluster)
    live = cluster.get(VIRTUAL_MACHINES, name, namespace)
    return Copy(live.obj) if live else f"VirtualMachine {quoted(name)} is not there"


def _of_snapshot(name: str, namespace: str, cluster: Cluster) -> Copy | str:
    snapshot = cluster.get(MACHINE_SNAPSHOTS, name, namespace)
    if snapshot is None:
        return f"snapshot {quoted(name)} is not there"
    content = cluster.get(MACHINE_SNAPSHOT_CONTENTS, snapshot.content, namespace) if snapshot.content else None
    if content is None:
        return f"snapshot {quoted(name)} is not ready"
    return Copy(content.machine, dict(content.claims))


def _named(machine: Object, name: str | None, namespace: str) -> dict[str, Any]:
    metadata = {**mapping(machine.get("metadata")), "name": name or "", "namespace": namespace}
    kept = {key: value for key, value in machine.items() if key != "status"}
    return {**kept, "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": metadata}


def _patched(made: Copy, spec: Object) -> Copy | str:
    """Each patch is a JSON Patch operation as a string; a few that copy could fill all memory."""
    try:
        operations = [json.loads(patch) for patch in items(spec.get("patches"))]
        if sum(at(operation, "op") == "copy" for operation in operations) > _MOST_COPYING:
            return "its patches copy too much"
        machine = jsonpatch.apply_patch(copy.deepcopy(made.machine), operations) if operations else made.machine
    except (
        ValueError,
        TypeError,
        RecursionError,
        jsonpatch.JsonPatchException,
        jsonpatch.JsonPointerException,
    ) as error:
        return f"its patches cannot be applied ({type(error).__name__})"
    return Copy(machine, made.claims) if isinstance(machine, dict) else "its patches leave no machine"
