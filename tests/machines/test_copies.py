"""The machine that a restore or a clone will make."""

import json
from typing import Any

import pytest

from tests.build import CLUSTER, RWO, RWX, Object, claim, disk, vm
from tests.build_paths import clone, exempt, machine_snapshot, restore
from webhook.cluster import Snapshot
from webhook.machines.copies import Copy, read_copy

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
    assert {name: facts.access_modes for name, facts in found.claims.items()} == {"root": (RWO,), "more": (RWX,)}


def test_a_restore_to_a_new_machine_replaces_nothing() -> None:
    assert made(restore("new"), HELD, *machine_snapshot(HELD)).replaces is None


def test_a_restore_to_its_own_machine_replaces_that() -> None:
    live = vm(disk("good", "root"))
    assert made(restore("db"), live, *machine_snapshot(HELD)).replaces == live


def test_a_restore_to_its_own_machine_that_is_gone_replaces_nothing() -> None:
    assert made(restore("db"), *machine_snapshot(HELD)).replaces is None


def test_a_restore_to_an_existing_machine_applies_no_patch() -> None:
    """KubeVirt patches only what it creates."""
    found = made(restore("db", add("/spec/running", True)), HELD, *machine_snapshot(HELD)).machine
    assert "running" not in found["spec"]


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
    assert found.machine["spec"]["template"]["spec"]["volumes"] == [disk("then")]
    assert list(found.claims) == ["then"]


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


JUNK = [
    ("no JSON", "{"),
    ("a number", "7"),
    ("a list", "[]"),
    ("a string", '"x"'),
    ("null", "null"),
    ("no operation", "{}"),
    ("an unknown operation", json.dumps({"op": "burn", "path": "/spec"})),
    ("no path", json.dumps({"op": "remove"})),
    ("a path that is not there", json.dumps({"op": "remove", "path": "/spec/absent"})),
    ("a path of a wrong type", json.dumps({"op": "add", "path": 7, "value": 1})),
    ("a path without slash", json.dumps(add("spec", {}))),
    ("an index beyond the end", json.dumps(add("/spec/template/spec/volumes/9", {}))),
    ("a test that fails", json.dumps({"op": "test", "path": "/kind", "value": "Pool"})),
    ("nested without end", "[" * 100_000),
    ("a number without end", "9" * 10_000),
]


@pytest.mark.parametrize("patch", [row[1] for row in JUNK], ids=[row[0] for row in JUNK])
def test_a_patch_that_cannot_be_applied_is_said(patch: str) -> None:
    assert "its patches" in str(copied(restore("new", patch), *machine_snapshot(HELD)))


@pytest.mark.parametrize("patches", ["x", {}, 7, None], ids=repr)
def test_patches_that_are_no_list_are_none(patches: object) -> None:
    obj = restore("new")
    assert made({**obj, "spec": {**obj["spec"], "patches": patches}}, *machine_snapshot(HELD)).machine


@pytest.mark.parametrize("entry", [7, None, {}, []], ids=repr)
def test_a_patch_that_is_no_text_is_said(entry: object) -> None:
    obj = restore("new")
    found = copied({**obj, "spec": {**obj["spec"], "patches": [entry]}}, *machine_snapshot(HELD))
    assert isinstance(found, str)


def test_a_patch_that_replaces_the_machine_by_something_else_is_said() -> None:
    found = copied(restore("new", {"op": "replace", "path": "", "value": []}), *machine_snapshot(HELD))
    assert found == "its patches leave no machine"


def test_patches_that_copy_again_and_again_are_not_applied() -> None:
    bomb = [{"op": "copy", "from": "/spec", "path": f"/spec/{number}"} for number in range(40)]
    assert copied(restore("new", *bomb), *machine_snapshot(HELD)) == "its patches copy too much"


def test_a_few_copies_are_applied() -> None:
    once = {"op": "copy", "from": "/spec/template/spec/volumes/0", "path": "/spec/template/spec/volumes/-"}
    found = made(restore("new", once), *machine_snapshot(HELD)).machine
    assert found["spec"]["template"]["spec"]["volumes"] == [disk("root"), disk("root")]
