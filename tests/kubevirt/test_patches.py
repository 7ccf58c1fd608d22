"""The patches of a restore or a clone: accepted without evaluation, applied, or not evaluated."""

import contextlib
import copy
import json
import re
from typing import Any

import pytest

from tests.build import CLUSTER, Object, disk, vm
from tests.build_paths import restore, tagged, vm_snapshot
from webhook import evaluate
from webhook.cluster import Snapshot
from webhook.kubevirt.patches import NotEvaluated, cannot_matter, parse_operation
from webhook.kubevirt.restores import CreatedVM, read_created

SOURCE = tagged(vm(disk("root"), spec={"running": True}), labels={"app": "db"}, annotations={"a": "b"})
SPEC = "/spec/template/spec"
INTERFACE, FIRMWARE = f"{SPEC}/domain/devices/interfaces", f"{SPEC}/domain/firmware"
LABELS, ANNOTATIONS = "/metadata/labels", "/metadata/annotations"
OPERATIONS = ("add", "replace", "remove", "test")
PARTS = ("/spec", "/spec/template", SPEC)


def add(path: str, value: object = "x", **more: object) -> Object:
    return {"op": "add", "path": path, "value": value, **more}


def patched(*patches: Object | str, source: Object = SOURCE) -> Any:
    """Return the VM that a restore with these patches creates, read as the engine reads it."""
    created = read_created(restore("new", *patches), "vms", Snapshot((*CLUSTER, *vm_snapshot(source))))
    assert isinstance(created, CreatedVM)
    evaluate(created.vm, CLUSTER)
    return created.vm


USERS_LABELS = ["app", "app.kubernetes.io~1name", "a~0b", "notkubevirt.io~1x", "kubevirt.io.example.com~1x"]
RESERVED_LABELS = ["kubevirt.io~1x", "kubevirt.io", "KubeVirt.io~1x", "vm.kubevirt.io~1template"]
OUR_LABELS = ["exempt.migratability.io~1all", "migratability.io~1enforcement"]
OUR_ANNOTATIONS = ["migratability.io~1exempt-reason", "migratability.io~1unverified"]
RESERVED_ANNOTATIONS = ["restore.kubevirt.io~1lastRestoreUID", "harvesterhci.io~1volumeClaimTemplates"]
CANNOT_MATTER = [
    *(f"{LABELS}/{key}" for key in USERS_LABELS),
    f"{ANNOTATIONS}/team.example.com~1kubevirt.io",
    *(f"/spec/template{path}" for path in (f"{LABELS}/app", f"{ANNOTATIONS}/note")),
    *(f"{INTERFACE}/{index}/macAddress" for index in (0, 12)),
    *(f"{FIRMWARE}/{field}" for field in ("uuid", "serial")),
]
MAY_MATTER = [
    *("", "/", "/spec/running", "/metadata/name", "/metadata/ownerReferences"),
    *(f"{above}{path}" for above in ("", "/spec/template") for path in (LABELS, ANNOTATIONS)),
    *(f"{LABELS}/{key}" for key in ("", "app/more", *RESERVED_LABELS, *OUR_LABELS)),
    *(f"{ANNOTATIONS}/{key}" for key in (*OUR_ANNOTATIONS, *RESERVED_ANNOTATIONS, "sub.harvesterhci.io~1x")),
    f"/spec/template{ANNOTATIONS}/kubevirt.io~1allow-pod-bridge-network-live-migration",
    *("/Metadata/labels/app", "/metadata/Labels/app", "/metadata/labels~1app", f"/spec{LABELS}/app"),
    *(f"{INTERFACE}/{index}/macAddress" for index in ("-", "-1", "\u0661", "")),
    *(f"{INTERFACE}/0{field}" for field in ("", "/name", "/MacAddress")),
    f"{SPEC}/domain/devices/gpus/0/macAddress",
    *(f"{FIRMWARE}{field}" for field in ("", "/bootloader", "/UUID")),
    *(f"{SPEC}/{field}" for field in ("volumes/0/name", "hostname")),
]


def matters(path: str, op: str) -> bool:
    return not cannot_matter(parse_operation(json.dumps({**add(path), "op": op, "from": f"{LABELS}/app"})))


@pytest.mark.parametrize("path", CANNOT_MATTER)
def test_one_key_or_identity_is_accepted_without_evaluation_but_not_moved_or_copied(path: str) -> None:
    assert not any(matters(path, op) for op in OPERATIONS)
    assert matters(path, "move")
    assert matters(path, "copy")


@pytest.mark.parametrize("path", MAY_MATTER)
def test_every_other_path_is_evaluated(path: str) -> None:
    assert all(matters(path, op) for op in OPERATIONS)


def test_patches_that_cannot_matter_are_accepted_though_they_do_not_apply() -> None:
    """An interface that is not there; labels and annotations that the source has not, but KubeVirt's copy has."""
    patches = [add(path) for path in CANNOT_MATTER]
    assert patched(*patches, source=vm(disk("root")))["spec"] == vm(disk("root"))["spec"]


def test_patches_that_cannot_matter_are_applied_beside_others() -> None:
    moved = {"op": "copy", "from": f"{LABELS}/app", "path": f"{SPEC}/volumes/0/persistentVolumeClaim/claimName"}
    found = patched(add(f"{LABELS}/app", "once"), moved)
    assert found["spec"]["template"]["spec"]["volumes"][0] == disk("once", "root")


def test_annotation_is_added_beside_others_though_the_source_has_none() -> None:
    """KubeVirt adds one of its own before it applies the patches."""
    found = patched(add(f"{ANNOTATIONS}/a"), add(f"{SPEC}/hostname"), source=vm(disk("root")))
    assert found["metadata"]["annotations"] == {"a": "x"}


@pytest.mark.parametrize("op", ["add", "replace", "remove"])
def test_whole_map_is_applied(op: str) -> None:
    labels = patched({"op": op, "path": LABELS, "value": {"b": "c"}})["metadata"].get("labels")
    assert labels == (None if op == "remove" else {"b": "c"})


@pytest.mark.parametrize(("op", "left"), [("copy", [disk("root")]), ("move", [])])
def test_move_and_copy_are_applied(op: str, left: list[Object]) -> None:
    patch = {"op": op, "from": f"{SPEC}/volumes/0", "path": f"{SPEC}/volumes/-"}
    found = patched(patch, source=vm(disk("root"), disk("last")))
    assert found["spec"]["template"]["spec"]["volumes"] == [*left, disk("last"), disk("root")]


RESTORED_BY = "restore.kubevirt.io/lastRestoreUID"
MAY_NOT_WRITE = {
    "owner": add("/metadata/ownerReferences", []),
    "metadata": add("/metadata", {"name": "x"}),
    "another name": {"op": "replace", "path": "/metadata/name", "value": "x"},
    "name moved away": {"op": "move", "from": "/metadata/name", "path": f"{LABELS}/x"},
    "owner copied": {"op": "copy", "from": "/spec", "path": "/metadata/ownerReferences"},
    "owner in another spelling": add("/metadata/OwnerReferences", []),
    "metadata in another spelling": add("/Metadata", {}),
    "the whole VM": add("", {"spec": {}}),
    "status": add("/status", {}),
    "kind": {"op": "replace", "path": "/kind", "value": "Pool"},
    "restore annotation": add(f"{ANNOTATIONS}/{RESTORED_BY.replace('/', '~1')}"),
    "restore annotation removed": {"op": "remove", "path": f"{ANNOTATIONS}/{RESTORED_BY.replace('/', '~1')}"},
    "restore annotation in the map": add(ANNOTATIONS, {RESTORED_BY: "x"}),
    "annotations copied": {"op": "copy", "from": LABELS, "path": ANNOTATIONS},
    "annotations moved": {"op": "move", "from": LABELS, "path": ANNOTATIONS},
    "annotations moved away": {"op": "move", "from": ANNOTATIONS, "path": LABELS},
}


@pytest.mark.parametrize("patch", MAY_NOT_WRITE.values(), ids=MAY_NOT_WRITE)
def test_patch_may_write_spec_labels_and_annotations_alone(patch: Object) -> None:
    with pytest.raises(NotEvaluated, match="a patch may not write") as raised:
        patched(patch, source=tagged(SOURCE, annotations={RESTORED_BY: "earlier"}))
    assert raised.value.remedy == "Patch only spec, labels and annotations, and none of restore.kubevirt.io/"


ONE_OPERATION = "a patch is not one JSON Patch operation"
MORE = json.dumps(add(f"{LABELS}/a", "1"))
NO_OPERATION = {
    "no JSON": "{",
    **{f"JSON of another type {text}": text for text in ("7", "[]", '"x"', "null", "", "{}")},
    "two operations, which KubeVirt joins": f"{MORE}, {MORE}",
    "nested without end": "[" * 100_000,
    "a number without end": "9" * 10_000,
    "an unknown operation": {"op": "burn", "path": f"{LABELS}/a"},
    "an operation that is no text": {"op": ["add"], "path": f"{LABELS}/a", "value": 1},
    "an operation in capitals": {"op": "ADD", "path": f"{LABELS}/a", "value": 1},
    "no path": {"op": "remove"},
    "no value": {"op": "add", "path": f"{LABELS}/a"},
    "no source": {"op": "copy", "path": f"{LABELS}/a"},
    "a source of a wrong type": {"op": "copy", "path": f"{LABELS}/a", "from": 7},
    "a path of a wrong type": {"op": "add", "path": 7, "value": "x"},
    "a path without slash": add("spec", {}),
    "an unknown escape": add(f"{LABELS}/a~2b"),
    "a key twice in the value": '{"op": "add", "path": "/spec/x", "value": {"n": "a", "n": "b"}}',
    "a key twice in the operation": '{"op": "add", "path": "/metadata/labels/a", "path": "/spec/y", "value": 1}',
}
VALUES: list[object] = [7, [], None]
UNAPPLIED = {
    "a path that is not there": {"op": "remove", "path": "/spec/absent"},
    "an index beyond the end": add(f"{SPEC}/volumes/9", {}),
    "an index from the end, which KubeVirt takes": add(f"{SPEC}/volumes/-1", {}),
    "a test that fails": {"op": "test", "path": "/kind", "value": "Pool"},
    "another spelling of a parent": add(f"{SPEC}/Volumes/-", {}),
    "another spelling of what is copied": {"op": "copy", "from": "/SPEC/template", "path": "/spec/x"},
    **{f"{value} at {path}": {"op": "replace", "path": path, "value": value} for path in PARTS for value in VALUES},
}


@pytest.mark.parametrize("patch", NO_OPERATION.values(), ids=NO_OPERATION)
def test_patch_that_is_not_one_operation_is_not_evaluated_even_without_a_source(patch: Object | str) -> None:
    for objects in (vm_snapshot(SOURCE), []):
        with pytest.raises(NotEvaluated, match=ONE_OPERATION):
            read_created(restore("new", MORE, patch, MORE), "vms", Snapshot(objects))


@pytest.mark.parametrize("patch", UNAPPLIED.values(), ids=UNAPPLIED)
def test_patch_that_cannot_be_applied_is_not_evaluated(patch: Object) -> None:
    with pytest.raises(NotEvaluated, match="the patches cannot be applied"):
        patched(patch)


@pytest.mark.parametrize("entry", [7, None, {}, []], ids=repr)
def test_patch_that_is_not_text_is_not_evaluated(entry: object) -> None:
    with pytest.raises(NotEvaluated, match=ONE_OPERATION):
        parse_operation(entry)


@pytest.mark.parametrize("depth", range(100, 1000, 40))
def test_deep_patch_is_applied_or_not_evaluated(depth: int) -> None:
    with contextlib.suppress(NotEvaluated):
        assert patched('{"op": "add", "path": "/spec/x", "value": ' + "[" * depth + "]" * depth + "}")


def test_patches_that_copy_again_and_again_are_not_applied() -> None:
    """They would fill all memory."""
    bomb = [{"op": "copy", "from": "/spec", "path": f"/spec/{number}"} for number in range(40)]
    with pytest.raises(NotEvaluated, match="the patches copy too much"):
        patched(*bomb)


VOLUME = {"name": "x", "PersistentVolumeClaim": {"claimName": "once"}}
SPELLED: list[tuple[Object, str, str]] = [
    (add(f"{SPEC}/volume\u017f", []), "volumes", "volume\\u017f"),
    (add(f"{SPEC}/VOLUMES", []), "volumes", "VOLUMES"),
    (add(f"{SPEC}/volumes/-", VOLUME), "persistentVolumeClaim", "PersistentVolumeClaim"),
    (add("/spec/Template", {}), "template", "Template"),
]


@pytest.mark.parametrize(("patch", "name", "other"), SPELLED)
def test_field_in_another_spelling_that_go_reads_is_not_evaluated(patch: Object, name: str, other: str) -> None:
    with pytest.raises(NotEvaluated, match=re.escape(f'a patch spells "{name}" as "{other}"')) as raised:
        patched(patch)
    assert raised.value.remedy == f'Write "{name}"'


def test_every_read_of_a_field_in_another_spelling_raises() -> None:
    created = read_created(restore("new", add(f"{SPEC}/Volumes", [])), "vms", Snapshot(vm_snapshot(SOURCE)))
    assert isinstance(created, CreatedVM)
    spec = created.vm["spec"]["template"]["spec"]
    for read in (spec.get, spec.__getitem__, spec.__contains__, copy.copy(spec).get):
        with pytest.raises(NotEvaluated):
            read("volumes")


def test_key_of_a_label_or_selector_is_no_field() -> None:
    source = vm(disk("root"), nodeSelector={"Disk": "a"})
    source["metadata"] |= {"labels": {"Name": "a"}, "annotations": {"Spec": "a"}}
    assert patched(add("/spec/x", 1), source=source)
    for path in (f"{LABELS}/Name", f"{ANNOTATIONS}/Spec", f"{SPEC}/nodeSelector/Disk"):
        assert patched({"op": "replace", "path": path, "value": "b"}, source=source)
