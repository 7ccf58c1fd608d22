"""The VM that a VirtualMachineRestore or VirtualMachineClone will create.

Sources: KubeVirt 1.9 ``pkg/storage/snapshot/restore.go`` (the snapshot's VM with the restore's patches, its PVCs
with the access modes that they had), ``pkg/virt-controller/watch/clone`` (a clone is a snapshot and a
restore with the clone's patches).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from webhook.cluster import Cluster
from webhook.cluster.facts import ClaimFacts
from webhook.cluster.resources import VIRTUAL_MACHINES, VM_SNAPSHOT_CONTENTS, VM_SNAPSHOTS
from webhook.kubevirt.patches import NotEvaluated, cannot_matter, parse_operation, patched
from webhook.objects import Object, at, items, mapping, text
from webhook.wording import quoted

RESTORE, CLONE = "VirtualMachineRestore", "VirtualMachineClone"
SOURCE_FIELD = {RESTORE: "spec.virtualMachineSnapshotName", CLONE: "spec.source"}
"""Where a restore and a clone name their source."""
RESTORED_BY = "restore.kubevirt.io/lastRestoreUID"
"""Annotation that KubeVirt adds to a VM that a restore creates, before it applies the restore's patches."""


@dataclass(frozen=True, slots=True)
class CreatedVM:
    """The VM that a restore or clone creates, and by name the PVCs that are created with it.

    ``replaces`` is the live VM that it overwrites, whose violations are pre-existing; None for a new VM. Reading a VM
    that was patched may raise NotEvaluated (`webhook.kubevirt.patches`).
    """

    vm: Object
    claims: dict[str, ClaimFacts] = field(default_factory=dict)
    replaces: Object | None = None


def read_created(obj: Object, namespace: str, cluster: Cluster) -> CreatedVM | str:
    """Return the VM that a VirtualMachineRestore or VirtualMachineClone creates, or a phrase why it is not known yet.

    Patches that cannot matter are left out. Raises NotEvaluated for others that cannot be applied in advance, and
    Undecidable where the cluster cannot say.
    """
    spec = mapping(obj.get("spec"))
    operations = [parse_operation(patch) for patch in items(spec.get("patches"))]
    matters = not all(map(cannot_matter, operations))
    if obj.get("kind") == RESTORE:
        found = _of_snapshot(text(spec.get("virtualMachineSnapshotName")) or "", namespace, cluster)
    else:
        found = _of_source(mapping(spec.get("source")), namespace, cluster)
    if isinstance(found, str):
        if matters:
            remedy = "Leave the patches out, or create it once the source is ready"
            raise NotEvaluated(f"{found}, so its patches cannot be evaluated", remedy)
        return found
    name = text(at(spec, "target", "name")) or ""
    live = cluster.get(VIRTUAL_MACHINES, name, namespace) if obj.get("kind") == RESTORE else None
    if live is not None and matters:
        what = f"the VM {quoted(name)} exists, so KubeVirt will not apply the patches"
        raise NotEvaluated(what, "Leave the patches out, or restore to a new name")
    replaces = live.obj if live is not None and name == at(found.vm, "metadata", "name") else None
    kept = mapping((replaces or found.vm).get("metadata"))
    if not replaces:
        kept = {"annotations": {}, **{key: kept[key] for key in ("labels", "annotations") if key in kept}}
    vm = _new({**kept, "name": name, "namespace": namespace}, found.vm.get("spec"))
    return CreatedVM(patched(vm, operations) if matters else vm, found.claims, replaces)


def _of_source(source: Object, namespace: str, cluster: Cluster) -> CreatedVM | str:
    name = text(source.get("name")) or ""
    if source.get("kind") == "VirtualMachineSnapshot":
        return _of_snapshot(name, namespace, cluster)
    live = cluster.get(VIRTUAL_MACHINES, name, namespace)
    return CreatedVM(live.obj) if live else f"VirtualMachine {quoted(name)} does not exist"


def _of_snapshot(name: str, namespace: str, cluster: Cluster) -> CreatedVM | str:
    snapshot = cluster.get(VM_SNAPSHOTS, name, namespace)
    if snapshot is None:
        return f"snapshot {quoted(name)} does not exist"
    content = cluster.get(VM_SNAPSHOT_CONTENTS, snapshot.content, namespace) if snapshot.content else None
    if content is None:
        return f"snapshot {quoted(name)} is not ready"
    return _with_restored_claims(content.vm, dict(content.claims))


def _with_restored_claims(vm: Object, claims: dict[str, ClaimFacts]) -> CreatedVM:
    """KubeVirt gives the restored PVCs new names; ours cannot be those of the PVCs that exist now."""
    restored, names = copy.deepcopy(dict(vm)), {name: f"{name} as in the snapshot" for name in claims}
    for volume in items(at(restored, "spec", "template", "spec", "volumes")):
        for source, key in (("persistentVolumeClaim", "claimName"), ("dataVolume", "name")):
            body = at(volume, source)
            if isinstance(body, dict) and body.get(key) in names:
                body[key] = names[body[key]]
    return CreatedVM(restored, {names[name]: facts for name, facts in claims.items()})


def _new(metadata: Object, source: object) -> dict[str, Any]:
    """The VM that KubeVirt creates, with the spec of its source but for memory dumps."""
    found: dict[str, Any] = copy.deepcopy({"metadata": metadata, "spec": source})
    template = at(found, "spec", "template", "spec")
    if isinstance(template, dict) and isinstance(template.get("volumes"), list):
        template["volumes"] = [volume for volume in template["volumes"] if at(volume, "memoryDump") is None]
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", **found}
