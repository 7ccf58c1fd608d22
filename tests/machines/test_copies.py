"""The machine that a restore or a clone will make."""

import contextlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.build import CLUSTER, RWO, RWX, Object, claim, data_volume_disk, disk, vm
from tests.build_paths import clone, exempt, machine_snapshot, restore
from webhook.cluster import Snapshot
from webhook.machines.copies import Copy, Unpatchable, read_copy

HELD = vm(disk("root"), spec={"runStrategy": "Always"}, status={"created": True})
LABELLED = {**HELD, "metadata": {**HELD["metadata"], "labels": {"app": "db"}, "uid": "x"}}


def copied(obj: Object, *objects: Object) -> Copy | str:
    return read_copy(obj, "vms", Snapshot((*CLUSTER, *objects)))


def made(obj: Object, *objects: Object) -> Any:
    found = copied(obj, *objects)
    assert isinstance(found, Copy), found
    return found


def add(path: str, value: object) -> Object:
    return {"op": "add", "path": path, "value": value}


def test_a_restore_makes_the_snapshots_machine_under_its_own_name() -> None:
    found = made(restore("new"), *machine_snapshot(LABELLED)).machine
    assert (found["metadata"]["name"], found["metadata"]["namespace"]) == ("new", "vms")
    assert found["metadata"]["labels"] == {"app": "db"}
    assert found["spec"] == HELD["spec"]
    assert "status" not in found


def test_a_restore_makes_the_claims_anew_as_they_were() -> None:
    found = made(restore("new"), *machine_snapshot(HELD, claim("root", RWO), claim("more", RWX)))
    assert {name: facts.access_modes for name, facts in found.claims.items()} == {
        "root as in the snapshot": (RWO,),
        "more as in the snapshot": (RWX,),
    }


@pytest.mark.parametrize("volume", [disk, data_volume_disk])
def test_a_restored_machine_mounts_the_claims_that_are_made_anew(volume: Callable[..., Object]) -> None:
    held = vm(volume("then", "root"), volume("other"))
    found = made(restore("new"), *machine_snapshot(held, claim("then", RWO))).machine
    assert found["spec"]["template"]["spec"]["volumes"] == [volume("then as in the snapshot", "root"), volume("other")]


def test_a_restore_to_a_new_machine_replaces_nothing() -> None:
    assert made(restore("new"), HELD, *machine_snapshot(HELD)).replaces is None


def test_a_restore_to_its_own_machine_replaces_that() -> None:
    live = vm(disk("good", "root"))
    assert made(restore("db"), live, *machine_snapshot(HELD)).replaces == live


def test_a_restore_to_its_own_machine_that_is_gone_replaces_nothing() -> None:
    assert made(restore("db"), *machine_snapshot(HELD)).replaces is None


def test_a_restore_to_its_own_machine_keeps_that_ones_metadata() -> None:
    live = {**HELD, "metadata": {**HELD["metadata"], "labels": {"app": "now"}}}
    assert made(restore("db"), live, *machine_snapshot(LABELLED)).machine["metadata"]["labels"] == {"app": "now"}


def test_a_restore_with_patches_to_a_machine_that_is_there_is_refused() -> None:
    """KubeVirt patches only what it creates, so nobody knows whether it will patch."""
    with pytest.raises(Unpatchable, match="is there, so KubeVirt will not apply the patches"):
        copied(restore("db", add("/metadata/labels/a", "1")), HELD, *machine_snapshot(LABELLED))


@pytest.mark.parametrize(
    "patch",
    [
        '{"op": "add", "path": "/spec/x", "value": {"name": "a", "name": "b"}}',
        '{"op": "add", "path": "/spec/x", "path": "/spec/y", "value": 1}',
    ],
)
def test_a_patch_that_says_a_key_twice_is_refused(patch: str) -> None:
    """Go merges what Python would drop."""
    with pytest.raises(Unpatchable):
        copied(restore("new", patch), *machine_snapshot(LABELLED))


@pytest.mark.parametrize("depth", range(100, 1000, 40))
def test_a_patch_however_deep_is_applied_or_refused(depth: int) -> None:
    patch = '{"op": "add", "path": "/spec/x", "value": ' + "[" * depth + "]" * depth + "}"
    with contextlib.suppress(Unpatchable):
        assert made(restore("new", patch), *machine_snapshot(LABELLED))


@pytest.mark.parametrize("field", ["Volumes", "volume\u017f", "VOLUMES"])
def test_a_field_in_other_letters_that_go_reads_all_the_same_is_refused(field: str) -> None:
    with pytest.raises(Unpatchable, match="spells"):
        copied(restore("new", add(f"/spec/template/spec/{field}", [])), *machine_snapshot(LABELLED))


OF_THE_USERS_OWN: list[tuple[tuple[str, ...], str]] = [
    (("metadata", "labels"), "Name"),
    (("metadata", "annotations"), "Spec"),
    (("spec", "template", "spec", "nodeSelector"), "Disk"),
]


@pytest.mark.parametrize(("where", "key"), OF_THE_USERS_OWN, ids=lambda found: str(found))
def test_words_of_the_users_own_are_no_fields(where: tuple[str, ...], key: str) -> None:
    machine = json.loads(json.dumps(HELD))
    inner = machine
    for part in where:
        inner = inner.setdefault(part, {})
    inner[key] = "a"
    patches = [(), (add("/spec/x", 1),), ({"op": "replace", "path": "/".join(("", *where, key)), "value": "b"},)]
    for given in patches:
        assert made(restore("new", *given), *machine_snapshot(machine))


@pytest.mark.parametrize("path", ["/metadata", "/spec", "/spec/template", "/spec/template/spec"])
@pytest.mark.parametrize("value", [7, [], None])
def test_a_patch_that_leaves_no_machine_is_refused(path: str, value: object) -> None:
    with pytest.raises(Unpatchable):
        copied(restore("new", {"op": "replace", "path": path, "value": value}), *machine_snapshot(LABELLED))


@pytest.mark.parametrize("source", ["restore", "clone of a snapshot", "clone of a machine"])
def test_patches_are_applied_in_order(source: str) -> None:
    patches = (add("/metadata/labels/a", "1"), {"op": "replace", "path": "/metadata/labels/a", "value": "2"})
    obj = {
        "restore": restore("new", *patches),
        "clone of a snapshot": clone("nightly", *patches, kind="VirtualMachineSnapshot"),
        "clone of a machine": clone("db", *patches),
    }[source]
    found = made(obj, LABELLED, *machine_snapshot(LABELLED)).machine
    assert found["metadata"]["labels"] == {"app": "db", "a": "2"}


def test_a_patch_leaves_the_snapshot_as_it_is() -> None:
    objects = Snapshot(machine_snapshot(LABELLED))
    for _ in range(2):
        found = read_copy(restore("new", add("/spec/template/spec/volumes/-", disk("more"))), "vms", objects)
        assert isinstance(found, Copy)
        assert len(found.machine["spec"]["template"]["spec"]["volumes"]) == 2


def test_a_clone_makes_the_live_machine_under_its_own_name() -> None:
    found = made(clone("db"), LABELLED)
    assert (found.machine["metadata"]["name"], found.machine["spec"]) == ("copy", HELD["spec"])
    assert (found.claims, found.replaces) == ({}, None)


def test_a_clone_of_a_snapshot_has_the_snapshots_machine_and_claims() -> None:
    objects = machine_snapshot(vm(disk("then")), claim("then", RWO))
    found = made(clone("nightly", kind="VirtualMachineSnapshot"), HELD, *objects)
    assert found.machine["spec"]["template"]["spec"]["volumes"] == [disk("then as in the snapshot", "then")]
    assert list(found.claims) == ["then as in the snapshot"]


def test_a_clone_keeps_labels_of_ours() -> None:
    found = made(clone("db"), exempt(HELD)).machine
    assert found["metadata"]["labels"] == {"exempt.migratability.io/all": "true"}


def test_a_clone_may_take_labels_of_ours_out() -> None:
    out = {"op": "remove", "path": "/metadata/labels/exempt.migratability.io~1all"}
    assert made(clone("db", out), exempt(HELD)).machine["metadata"]["labels"] == {}


UNREADY = machine_snapshot(HELD, ready=False)
SNAPSHOT, CONTENT = machine_snapshot(HELD)
UNKNOWN: list[tuple[str, Object, list[Object], str]] = [
    ("no snapshot", restore("new"), [], 'snapshot "nightly" is not there'),
    ("unready", restore("new"), UNREADY, 'snapshot "nightly" is not ready'),
    ("no status", restore("new"), [{**SNAPSHOT, "status": None}, CONTENT], "not ready"),
    (
        "readiness of a wrong type",
        restore("new"),
        [{**SNAPSHOT, "status": {"readyToUse": "yes"}}, CONTENT],
        "not ready",
    ),
    ("no content", restore("new"), [SNAPSHOT], "not ready"),
    ("names no snapshot", {**restore("new"), "spec": {}}, [SNAPSHOT, CONTENT], 'snapshot "" is not there'),
    ("clone of no machine", clone("absent"), [HELD], 'VirtualMachine "absent" is not there'),
    ("clone of nothing", {**clone("x"), "spec": {}}, [HELD], 'VirtualMachine "" is not there'),
    ("clone of no snapshot", clone("x", kind="VirtualMachineSnapshot"), [], 'snapshot "x" is not there'),
    ("clone of an unready one", clone("nightly", kind="VirtualMachineSnapshot"), UNREADY, "not ready"),
]


@pytest.mark.parametrize(("obj", "objects", "why"), [row[1:] for row in UNKNOWN], ids=[row[0] for row in UNKNOWN])
def test_what_nobody_can_tell_is_said(obj: Object, objects: list[Object], why: str) -> None:
    found = copied(obj, *objects)
    assert isinstance(found, str)
    assert why in found


NO_OPERATION = "a patch is not one JSON Patch operation"
UNAPPLIED = "the patches cannot be applied"
UNSPELLED = "the patches leave no machine whose fields are spelled as KubeVirt spells them"
MORE = json.dumps(add("/metadata/labels/a", "1"))
JUNK = [
    ("no JSON", "{", NO_OPERATION),
    ("a number", "7", NO_OPERATION),
    ("a list", "[]", NO_OPERATION),
    ("a string", '"x"', NO_OPERATION),
    ("null", "null", NO_OPERATION),
    ("nothing", "", NO_OPERATION),
    ("two operations, which KubeVirt joins", f"{MORE}, {MORE}", NO_OPERATION),
    ("nested without end", "[" * 100_000, NO_OPERATION),
    ("a number without end", "9" * 10_000, NO_OPERATION),
    ("no operation", "{}", UNAPPLIED),
    ("an unknown operation", json.dumps({"op": "burn", "path": "/spec"}), UNAPPLIED),
    ("no path", json.dumps({"op": "remove"}), UNAPPLIED),
    ("a path that is not there", json.dumps({"op": "remove", "path": "/spec/absent"}), UNAPPLIED),
    ("a path of a wrong type", json.dumps({"op": "add", "path": 7, "value": 1}), UNAPPLIED),
    ("a path without slash", json.dumps(add("spec", {})), UNAPPLIED),
    ("an index beyond the end", json.dumps(add("/spec/template/spec/volumes/9", {})), UNAPPLIED),
    ("a test that fails", json.dumps({"op": "test", "path": "/kind", "value": "Pool"}), UNAPPLIED),
    ("another spelling in a path", json.dumps(add("/spec/template/spec/Volumes/-", {})), 'spells a field "Volumes"'),
    (
        "another spelling in what is copied",
        json.dumps({"op": "copy", "from": "/SPEC/template", "path": "/spec/x"}),
        'spells a field "SPEC"',
    ),
    (
        "another spelling in a value",
        json.dumps(add("/spec/template/spec/volumes/-", {"name": "x", "PersistentVolumeClaim": {"claimName": "once"}})),
        UNSPELLED,
    ),
    ("another spelling in the whole", json.dumps({"op": "replace", "path": "", "value": {"Metadata": {}}}), UNSPELLED),
    ("a machine that is none", json.dumps({"op": "replace", "path": "", "value": []}), UNSPELLED),
]


@pytest.mark.parametrize(("patch", "why"), [row[1:] for row in JUNK], ids=[row[0] for row in JUNK])
def test_a_patch_that_cannot_be_applied_raises(patch: str, why: str) -> None:
    with pytest.raises(Unpatchable, match=re.escape(why)):
        copied(restore("new", patch), *machine_snapshot(LABELLED))


def test_one_bad_patch_among_good_ones_raises() -> None:
    with pytest.raises(Unpatchable, match=NO_OPERATION):
        copied(restore("new", MORE, "[]", MORE), *machine_snapshot(LABELLED))


def test_a_patch_that_is_no_operation_raises_also_where_the_source_is_not_there() -> None:
    with pytest.raises(Unpatchable, match=NO_OPERATION):
        copied(restore("new", "[]"))


@pytest.mark.parametrize("patches", ["x", {}, 7, None], ids=repr)
def test_patches_that_are_no_list_are_none(patches: object) -> None:
    obj = restore("new")
    assert made({**obj, "spec": {**obj["spec"], "patches": patches}}, *machine_snapshot(HELD)).machine


@pytest.mark.parametrize("entry", [7, None, {}, []], ids=repr)
def test_a_patch_that_is_no_text_raises(entry: object) -> None:
    obj = restore("new")
    with pytest.raises(Unpatchable, match=NO_OPERATION):
        copied({**obj, "spec": {**obj["spec"], "patches": [entry]}}, *machine_snapshot(HELD))


def test_patches_that_copy_again_and_again_are_not_applied() -> None:
    bomb = [{"op": "copy", "from": "/spec", "path": f"/spec/{number}"} for number in range(40)]
    with pytest.raises(Unpatchable, match="the patches copy too much"):
        copied(restore("new", *bomb), *machine_snapshot(HELD))


def test_a_few_copies_are_applied() -> None:
    once = {"op": "copy", "from": "/spec/template/spec/volumes/0", "path": "/spec/template/spec/volumes/-"}
    found = made(restore("new", once), *machine_snapshot(HELD)).machine
    assert found["spec"]["template"]["spec"]["volumes"] == [disk("root"), disk("root")]
