"""The patches of a restore or a clone: accepted without evaluation, applied, or not evaluated."""

import contextlib
import copy
import json
import re
from collections.abc import Callable
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


def add(path: str, value: object = "x", **more: object) -> Object:
    return {"op": "add", "path": path, "value": value, **more}


def patched(*patches: Object | str, source: Object = SOURCE) -> Any:
    """Return the VM that a restore with these patches creates, read as the engine reads it."""
    created = read_created(restore("new", *patches), "vms", Snapshot((*CLUSTER, *vm_snapshot(source))))
    assert isinstance(created, CreatedVM)
    evaluate(created.vm, CLUSTER)
    return created.vm


CANNOT_MATTER = [
    f"{LABELS}/app",
    f"{LABELS}/app.kubernetes.io~1name",
    f"{LABELS}/a~0b",
    f"{LABELS}/notkubevirt.io~1x",
    f"{LABELS}/kubevirt.io.example.com~1x",
    f"{ANNOTATIONS}/team.example.com~1kubevirt.io",
    f"/spec/template{LABELS}/app",
    f"/spec/template{ANNOTATIONS}/note",
    f"{INTERFACE}/0/macAddress",
    f"{INTERFACE}/12/macAddress",
    f"{FIRMWARE}/uuid",
    f"{FIRMWARE}/serial",
]
MAY_MATTER = [
    "",
    "/",
    LABELS,
    ANNOTATIONS,
    f"/spec/template{LABELS}",
    f"/spec/template{ANNOTATIONS}",
    f"{LABELS}/",
    f"{LABELS}/app/more",
    f"{LABELS}/kubevirt.io~1x",
    f"{LABELS}/kubevirt.io",
    f"{LABELS}/KubeVirt.io~1x",
    f"{LABELS}/vm.kubevirt.io~1template",
    f"{LABELS}/exempt.migratability.io~1all",
    f"{LABELS}/migratability.io~1enforcement",
    f"{ANNOTATIONS}/migratability.io~1exempt-reason",
    f"{ANNOTATIONS}/migratability.io~1unverified",
    f"{ANNOTATIONS}/restore.kubevirt.io~1lastRestoreUID",
    f"{ANNOTATIONS}/harvesterhci.io~1volumeClaimTemplates",
    f"{ANNOTATIONS}/sub.harvesterhci.io~1x",
    f"/spec/template{ANNOTATIONS}/kubevirt.io~1allow-pod-bridge-network-live-migration",
    f"/spec{LABELS}/app",
    "/Metadata/labels/app",
    "/metadata/Labels/app",
    "/metadata/labels~1app",
    "/metadata/name",
    "/metadata/ownerReferences",
    f"{INTERFACE}/-/macAddress",
    f"{INTERFACE}/-1/macAddress",
    f"{INTERFACE}/\u0661/macAddress",
    f"{INTERFACE}//macAddress",
    f"{INTERFACE}/0/MacAddress",
    f"{INTERFACE}/0/name",
    f"{INTERFACE}/0",
    f"{SPEC}/domain/devices/gpus/0/macAddress",
    f"{FIRMWARE}",
    f"{FIRMWARE}/bootloader",
    f"{FIRMWARE}/UUID",
    f"{SPEC}/volumes/0/name",
    f"{SPEC}/hostname",
    "/spec/running",
]


@pytest.mark.parametrize("path", CANNOT_MATTER)
def test_one_key_or_identity_is_accepted_without_evaluation(path: str) -> None:
    assert all(cannot_matter(parse_operation(json.dumps(add(path) | {"op": op}))) for op in OPERATIONS)


@pytest.mark.parametrize("path", MAY_MATTER)
def test_every_other_path_is_evaluated(path: str) -> None:
    assert not any(cannot_matter(parse_operation(json.dumps(add(path) | {"op": op}))) for op in OPERATIONS)


@pytest.mark.parametrize("op", ["move", "copy"])
@pytest.mark.parametrize("path", CANNOT_MATTER)
def test_move_and_copy_are_evaluated_wherever_they_write(path: str, op: str) -> None:
    assert not cannot_matter(parse_operation(json.dumps({"op": op, "from": f"{LABELS}/app", "path": path})))


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
    bare = vm(disk("root"))
    found = patched(add(f"{ANNOTATIONS}/a"), add(f"{SPEC}/hostname"), source=bare)
    assert found["metadata"]["annotations"] == {"a": "x"}


@pytest.mark.parametrize(
    ("op", "path", "expected"), [("add", LABELS, {"b": "c"}), ("replace", LABELS, {"b": "c"}), ("remove", LABELS, None)]
)
def test_whole_map_is_applied(op: str, path: str, expected: object) -> None:
    assert patched({"op": op, "path": path, "value": {"b": "c"}})["metadata"].get("labels") == expected


@pytest.mark.parametrize("op", ["copy", "move"])
def test_move_and_copy_are_applied(op: str) -> None:
    source = vm(disk("root"), disk("last"))
    volumes = f"{SPEC}/volumes"
    found = patched({"op": op, "from": f"{volumes}/0", "path": f"{volumes}/-"}, source=source)
    left = [disk("root")] if op == "copy" else []
    assert found["spec"]["template"]["spec"]["volumes"] == [*left, disk("last"), disk("root")]


MAY_NOT_WRITE = [
    ("owner", add("/metadata/ownerReferences", [])),
    ("owner beside others", add("/metadata/ownerReferences/-", {})),
    ("metadata", add("/metadata", {"name": "x"})),
    ("another name", {"op": "replace", "path": "/metadata/name", "value": "x"}),
    ("another namespace", {"op": "replace", "path": "/metadata/namespace", "value": "x"}),
    ("name moved away", {"op": "move", "from": "/metadata/name", "path": f"{LABELS}/x"}),
    ("owner copied", {"op": "copy", "from": "/spec", "path": "/metadata/ownerReferences"}),
    ("owner in another spelling", add("/metadata/OwnerReferences", [])),
    ("metadata in another spelling", add("/Metadata", {})),
    ("the whole VM", add("", {"spec": {}})),
    ("a VM that is none", {"op": "replace", "path": "", "value": []}),
    ("status", add("/status", {})),
    ("kind", {"op": "replace", "path": "/kind", "value": "Pool"}),
    ("restore annotation", add(f"{ANNOTATIONS}/restore.kubevirt.io~1lastRestoreUID")),
    ("restore annotation removed", {"op": "remove", "path": f"{ANNOTATIONS}/restore.kubevirt.io~1lastRestoreUID"}),
    ("restore annotation in the map", add(ANNOTATIONS, {"restore.kubevirt.io/lastRestoreUID": "x"})),
    ("annotations copied", {"op": "copy", "from": LABELS, "path": ANNOTATIONS}),
    ("annotations moved", {"op": "move", "from": LABELS, "path": ANNOTATIONS}),
    ("annotations moved away", {"op": "move", "from": ANNOTATIONS, "path": LABELS}),
]


@pytest.mark.parametrize("patch", [row[1] for row in MAY_NOT_WRITE], ids=[row[0] for row in MAY_NOT_WRITE])
def test_patch_may_write_spec_labels_and_annotations_alone(patch: Object) -> None:
    unverified_names = tagged(SOURCE, annotations={"restore.kubevirt.io/lastRestoreUID": "earlier"})
    with pytest.raises(NotEvaluated, match="a patch may not write") as raised:
        patched(patch, source=unverified_names)
    assert raised.value.remedy == "Patch only spec, labels and annotations, and none of restore.kubevirt.io/"


ONE_OPERATION = "a patch is not one JSON Patch operation"
UNAPPLIED = "the patches cannot be applied"
MORE = json.dumps(add(f"{LABELS}/a", "1"))
INVALID = [
    ("no JSON", "{", ONE_OPERATION),
    ("a number", "7", ONE_OPERATION),
    ("a list", "[]", ONE_OPERATION),
    ("a string", '"x"', ONE_OPERATION),
    ("null", "null", ONE_OPERATION),
    ("nothing", "", ONE_OPERATION),
    ("two operations, which KubeVirt joins", f"{MORE}, {MORE}", ONE_OPERATION),
    ("nested without end", "[" * 100_000, ONE_OPERATION),
    ("a number without end", "9" * 10_000, ONE_OPERATION),
    ("no operation", "{}", ONE_OPERATION),
    ("an unknown operation", json.dumps({"op": "burn", "path": f"{LABELS}/a"}), ONE_OPERATION),
    ("an operation that is no text", json.dumps({"op": ["add"], "path": f"{LABELS}/a", "value": 1}), ONE_OPERATION),
    ("an operation in capitals", json.dumps({"op": "ADD", "path": f"{LABELS}/a", "value": 1}), ONE_OPERATION),
    ("no path", json.dumps({"op": "remove"}), ONE_OPERATION),
    ("no value", json.dumps({"op": "add", "path": f"{LABELS}/a"}), ONE_OPERATION),
    ("no source", json.dumps({"op": "copy", "path": f"{LABELS}/a"}), ONE_OPERATION),
    ("a source of a wrong type", json.dumps({"op": "copy", "path": f"{LABELS}/a", "from": 7}), ONE_OPERATION),
    ("a path of a wrong type", json.dumps(add("") | {"path": 7}), ONE_OPERATION),
    ("a path without slash", json.dumps(add("spec", {})), ONE_OPERATION),
    ("an unknown escape", json.dumps(add(f"{LABELS}/a~2b")), ONE_OPERATION),
    ("an escape without end", json.dumps(add(f"{LABELS}/a~")), ONE_OPERATION),
    ("a key twice in the value", '{"op": "add", "path": "/spec/x", "value": {"n": "a", "n": "b"}}', ONE_OPERATION),
    (
        "a key twice in the operation",
        '{"op": "add", "path": "/metadata/labels/a", "path": "/spec/y", "value": 1}',
        ONE_OPERATION,
    ),
    ("a path that is not there", json.dumps({"op": "remove", "path": "/spec/absent"}), UNAPPLIED),
    ("an index beyond the end", json.dumps(add(f"{SPEC}/volumes/9", {})), UNAPPLIED),
    ("an index from the end, which KubeVirt takes", json.dumps(add(f"{SPEC}/volumes/-1", {})), UNAPPLIED),
    ("a test that fails", json.dumps({"op": "test", "path": "/kind", "value": "Pool"}), UNAPPLIED),
    ("another spelling of a parent", json.dumps(add(f"{SPEC}/Volumes/-", {})), UNAPPLIED),
    (
        "another spelling of what is copied",
        json.dumps({"op": "copy", "from": "/SPEC/template", "path": "/spec/x"}),
        UNAPPLIED,
    ),
    *(
        (f"{value} at {path}", f'{{"op": "replace", "path": "{path}", "value": {value}}}', UNAPPLIED)
        for path in ("/spec", "/spec/template", SPEC)
        for value in ("7", "[]", "null")
    ),
]


@pytest.mark.parametrize(("patch", "why"), [row[1:] for row in INVALID], ids=[row[0] for row in INVALID])
def test_patch_that_cannot_be_applied_is_not_evaluated(patch: str, why: str) -> None:
    with pytest.raises(NotEvaluated, match=re.escape(why)):
        patched(patch)


def test_one_bad_patch_among_good_ones_is_not_evaluated() -> None:
    with pytest.raises(NotEvaluated, match=ONE_OPERATION):
        patched(MORE, "[]", MORE)


def test_patch_that_is_not_an_operation_is_not_evaluated_where_the_source_is_absent_either() -> None:
    with pytest.raises(NotEvaluated, match=ONE_OPERATION):
        read_created(restore("new", "[]"), "vms", Snapshot(()))


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
SPELLED = [
    ("a whole list", add(f"{SPEC}/Volumes", []), "volumes", "Volumes"),
    ("a long s", add(f"{SPEC}/volume\u017f", []), "volumes", "volume\\u017f"),
    ("capitals", add(f"{SPEC}/VOLUMES", []), "volumes", "VOLUMES"),
    ("in a value", add(f"{SPEC}/volumes/-", VOLUME), "persistentVolumeClaim", "PersistentVolumeClaim"),
    ("the template", add("/spec/Template", {}), "template", "Template"),
]


@pytest.mark.parametrize(("patch", "name", "other"), [row[1:] for row in SPELLED], ids=[row[0] for row in SPELLED])
def test_field_in_another_spelling_that_go_reads_is_not_evaluated(patch: Object, name: str, other: str) -> None:
    with pytest.raises(NotEvaluated, match=re.escape(f'a patch spells "{name}" as "{other}"')) as raised:
        patched(patch)
    assert raised.value.remedy == f'Write "{name}"'


READS: list[tuple[str, Callable[[Any], object]]] = [
    ("get", lambda spec: spec.get("volumes")),
    ("subscript", lambda spec: spec["volumes"]),
    ("in", lambda spec: "volumes" in spec),
    ("get of a copy", lambda spec: copy.copy(spec).get("volumes")),
]


@pytest.mark.parametrize("read", [row[1] for row in READS], ids=[row[0] for row in READS])
def test_patched_vm_is_read_in_no_way_where_a_field_is_spelled_otherwise(read: Callable[[Any], object]) -> None:
    patches = restore("new", add(f"{SPEC}/Volumes", []))
    created = read_created(patches, "vms", Snapshot(vm_snapshot(SOURCE)))
    assert isinstance(created, CreatedVM)
    with pytest.raises(NotEvaluated):
        read(created.vm["spec"]["template"]["spec"])


FREE = [
    (("metadata", "labels"), "Name"),
    (("metadata", "annotations"), "Spec"),
    (("spec", "template", "spec", "nodeSelector"), "Disk"),
]


@pytest.mark.parametrize(("where", "key"), FREE, ids=lambda found: str(found))
def test_key_of_a_label_or_selector_is_no_field(where: tuple[str, ...], key: str) -> None:
    source = json.loads(json.dumps(SOURCE))
    inner = source
    for part in where:
        inner = inner.setdefault(part, {})
    inner[key] = "a"
    for patch in (add("/spec/x", 1), {"op": "replace", "path": "/".join(("", *where, key)), "value": "b"}):
        assert patched(patch, source=source)
