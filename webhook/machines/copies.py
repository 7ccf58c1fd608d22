"""The VirtualMachine that a restore or a clone will make.

Sources: KubeVirt 1.9 ``pkg/storage/snapshot/restore.go`` (the snapshot's machine with the restore's patches, its claims
made anew with the access modes that they had), ``pkg/virt-controller/watch/clone`` (a clone is a snapshot and a restore
with the clone's patches).
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from itertools import takewhile
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
RESTORED_BY = "restore.kubevirt.io/lastRestoreUID"
"""Annotation that KubeVirt puts on what a restore makes, before it applies the restore's patches."""


_MOST_COPYING = 3
_READ = """
accessModes affinity annotations architecture autoattachPodInterface binding bridge claimName cpu dataSource
dataSourceRef dataVolume dataVolumeTemplates deviceName devices disk disks domain enabled ephemeral evictionStrategy
features force gpus hostDevices hostDisk hyperv hypervPassthrough inferFromVolume instancetype interfaces kind labels
launchSecurity lun macAddress masquerade matchExpressions matchFields metadata name namespace networks nodeAffinity
nodeSelector nodeSelectorTerms operator ownerReferences persistentVolumeClaim persistentVolumeClaimName pod policy port
ports preference pvc readOnly reenlightenment requiredDuringSchedulingIgnoredDuringExecution reservation revisionName
selector sev shared snp source sourceRef spec status storage storageClassName tdx template values virtiofs volumeMode
volumeName volumes
"""
_FIELDS = {name.casefold(): name for name in _READ.split()}
"""The fields that we read, by their letters without case."""
_FREE = ("labels", "annotations", "nodeSelector", "matchLabels")
_STRUCTURE = (("metadata",), ("spec",), ("spec", "template"), ("spec", "template", "spec"))
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


class Unpatchable(ValueError):
    """The patches of a restore or clone cannot be read as KubeVirt will apply them; the message says why."""


def read_copy(obj: Object, namespace: str, cluster: Cluster) -> Copy | str:
    """Return what a VirtualMachineRestore or VirtualMachineClone makes, or a phrase that says why nobody can tell.

    Raises Unpatchable, and Undecidable where the cluster cannot say.
    """
    spec = mapping(obj.get("spec"))
    if obj.get("kind") == RESTORE:
        found = _of_snapshot(text(spec.get("virtualMachineSnapshotName")) or "", namespace, cluster)
    else:
        found = _of_source(mapping(spec.get("source")), namespace, cluster)
    patches = items(spec.get("patches"))
    operations = [_operation(patch) for patch in patches]
    if isinstance(found, str):
        return found
    target = text(at(spec, "target", "name"))
    live = cluster.get(VIRTUAL_MACHINES, target or "", namespace) if obj.get("kind") == RESTORE else None
    if live is not None and patches:
        raise Unpatchable("the VirtualMachine is there, so KubeVirt will not apply the patches")
    if live is not None and target == at(found.machine, "metadata", "name"):
        machine = {**found.machine, "metadata": mapping(live.obj.get("metadata"))}
        return Copy(_named(machine, target, namespace), found.claims, live.obj)
    patched = _patched(_named(_unowned(found.machine), target, namespace), operations)
    if items(at(patched, "metadata", "ownerReferences")):
        raise Unpatchable("the patches give the machine an owner")
    return Copy(_named(patched, target, namespace), found.claims)


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
    return _with_claims_made_anew(content.machine, dict(content.claims))


def _with_claims_made_anew(machine: Object, claims: dict[str, ClaimFacts]) -> Copy:
    """KubeVirt gives the restored claims new names, so that they and those of the same name now are told apart."""
    copied = copy.deepcopy(dict(machine))
    for volume in items(at(copied, "spec", "template", "spec", "volumes")):
        for source, key in (("persistentVolumeClaim", "claimName"), ("dataVolume", "name")):
            body = at(volume, source)
            if isinstance(body, dict) and body.get(key) in claims:
                body[key] = _anew(body[key])
    return Copy(copied, {_anew(name): facts for name, facts in claims.items()})


def _anew(claim: str) -> str:
    return f"{claim} as in the snapshot"


def _unowned(machine: Object) -> Object:
    """KubeVirt takes a snapshot's labels and annotations over, and not its owner."""
    metadata = {key: value for key, value in mapping(machine.get("metadata")).items() if key != "ownerReferences"}
    return {**machine, "metadata": metadata}


def _named(machine: Object, name: str | None, namespace: str) -> dict[str, Any]:
    metadata = {**mapping(machine.get("metadata")), "name": name or "", "namespace": namespace}
    kept = {key: value for key, value in machine.items() if key != "status"}
    return {**kept, "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": metadata}


def _operation(patch: object) -> Object:
    """One JSON Patch operation from its text, its path spelled as KubeVirt's API spells fields.

    KubeVirt joins the texts, so that one may hold several operations, and reads field names in any case.
    """
    try:
        operation = json.loads(patch, object_pairs_hook=_once) if isinstance(patch, str) else None
    except (ValueError, RecursionError):
        operation = None
    if not isinstance(operation, dict):
        raise Unpatchable("a patch is not one JSON Patch operation")
    for key in ("path", "from"):
        for part in takewhile(_is_field, str(operation.get(key) or "").split("/")):
            if _FIELDS.get(part.casefold(), part) != part:
                raise Unpatchable(f"a patch spells a field {quoted(part)}")
    return operation


def _is_field(key: str) -> bool:
    """Say whether what stands below a key are fields, and not words of the user's own."""
    return key not in _FREE


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are said once each: of two, KubeVirt may read both."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _patched(machine: dict[str, Any], operations: list[Object]) -> Object:
    """A few operations that copy could fill all memory."""
    if sum(operation.get("op") == "copy" for operation in operations) > _MOST_COPYING:
        raise Unpatchable("the patches copy too much")
    try:
        patched = jsonpatch.apply_patch(copy.deepcopy(machine), operations) if operations else machine
        readable = not operations or (isinstance(patched, dict) and _spelled(patched))
    except _UNPATCHABLE as error:
        raise Unpatchable(f"the patches cannot be applied ({type(error).__name__})") from error
    if not readable or not all(isinstance(at(patched, *path), dict) for path in _STRUCTURE):
        raise Unpatchable("the patches leave no machine whose fields are spelled as KubeVirt spells them")
    return mapping(patched)


def _spelled(value: object) -> bool:
    """Say whether no field of a machine is written in another case than ours."""
    if isinstance(value, dict):
        return all(
            _FIELDS.get(key.casefold(), key) == key and (not _is_field(key) or _spelled(entry))
            for key, entry in value.items()
        )
    return all(_spelled(entry) for entry in value) if isinstance(value, list) else True
