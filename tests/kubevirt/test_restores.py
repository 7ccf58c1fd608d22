"""The VM that a restore or a clone creates."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.build import RWO, RWX, Object, claim, data_volume_disk, disk, vm
from tests.build_paths import clone, exempt, known_as, owned, pool, restore, vm_snapshot
from tests.policy.samples import table
from webhook.cluster import Snapshot
from webhook.kubevirt.restores import CreatedVM, read_created

HELD = vm(disk("root"), spec={"runStrategy": "Always"}, status={"created": True})
LABELLED = {**HELD, "metadata": {**HELD["metadata"], "labels": {"app": "db"}, "uid": "x"}}


def created(obj: Object, *objects: Object) -> Any:
    found = read_created(obj, "vms", Snapshot(objects))
    assert isinstance(found, CreatedVM), found
    return found


def test_restore_creates_the_vm_of_the_snapshot_under_the_target_name_without_its_owner_and_uid() -> None:
    found = created(restore("new"), *vm_snapshot(known_as(owned(LABELLED, pool())))).vm
    assert found["metadata"] == {"name": "new", "namespace": "vms", "labels": {"app": "db"}, "annotations": {}}
    assert found["spec"] == HELD["spec"]
    assert "status" not in found


def test_restored_pvcs_have_the_access_modes_that_they_had_in_the_snapshot() -> None:
    found = created(restore("new"), *vm_snapshot(HELD, claim("root", RWO), claim("more", RWX)))
    assert {name: facts.access_modes for name, facts in found.claims.items()} == {
        "root as in the snapshot": (RWO,),
        "more as in the snapshot": (RWX,),
    }


@pytest.mark.parametrize("volume", [disk, data_volume_disk])
def test_restored_vm_mounts_the_restored_pvcs_and_no_memory_dump(volume: Callable[..., Object]) -> None:
    held = vm(volume("then", "root"), {"name": "dump", "memoryDump": {"claimName": "once"}}, volume("other"))
    found = created(restore("new"), *vm_snapshot(held, claim("then", RWO))).vm
    assert found["spec"]["template"]["spec"]["volumes"] == [volume("then as in the snapshot", "root"), volume("other")]


@pytest.mark.parametrize(("target", "objects"), [("new", [HELD]), ("db", [])], ids=["to a new name", "of a deleted VM"])
def test_restore_replaces_nothing(target: str, objects: list[Object]) -> None:
    assert created(restore(target), *objects, *vm_snapshot(HELD)).replaces is None


def test_restore_to_the_same_vm_replaces_it_and_keeps_its_metadata() -> None:
    live = {**vm(disk("good", "root")), "metadata": {**HELD["metadata"], "labels": {"app": "now"}}}
    found = created(restore("db"), live, *vm_snapshot(LABELLED))
    assert found.replaces == live
    assert found.vm["metadata"]["labels"] == {"app": "now"}


STRATEGY, VOLUMES = (f"/spec/template/spec/{field}" for field in ("evictionStrategy", "volumes/-"))
PATCHES: list[Object] = [
    {"op": "add", "path": STRATEGY, "value": "None"},
    {"op": "replace", "path": STRATEGY, "value": "External"},
    {"op": "add", "path": VOLUMES, "value": disk("more")},
]
PATCHED = {
    "restore": restore("new", *PATCHES),
    "clone of a snapshot": clone("nightly", *PATCHES, kind="VirtualMachineSnapshot"),
    "clone of a VM": clone("db", *PATCHES),
}


@pytest.mark.parametrize("obj", PATCHED.values(), ids=PATCHED)
def test_patches_are_applied_in_order_and_leave_the_source_as_it_is(obj: Object) -> None:
    source = Snapshot((*vm_snapshot(LABELLED), LABELLED))
    for _ in range(2):
        found = read_created(obj, "vms", source)
        assert isinstance(found, CreatedVM)
        spec = found.vm["spec"]["template"]["spec"]
        assert (spec["evictionStrategy"], len(spec["volumes"])) == ("External", 2)


def test_clone_creates_the_vm_under_the_target_name_and_of_a_snapshot_its_pvcs() -> None:
    of_vm = created(clone("db"), LABELLED)
    assert (of_vm.vm["metadata"]["name"], of_vm.vm["spec"], of_vm.claims) == ("copy", HELD["spec"], {})
    objects = vm_snapshot(vm(disk("then")), claim("then", RWO))
    of_snapshot = created(clone("nightly", kind="VirtualMachineSnapshot"), HELD, *objects)
    assert of_snapshot.vm["spec"]["template"]["spec"]["volumes"] == [disk("then as in the snapshot", "then")]
    assert list(of_snapshot.claims) == ["then as in the snapshot"]
    assert (of_vm.replaces, of_snapshot.replaces) == (None, None)


def test_clone_keeps_exemption_labels_unless_a_patch_removes_them() -> None:
    label = "exempt.migratability.io/all"
    out = {"op": "remove", "path": f"/metadata/labels/{label.replace('/', '~1')}"}
    assert created(clone("db"), exempt(HELD)).vm["metadata"]["labels"] == {label: "true"}
    assert created(clone("db", out), exempt(HELD)).vm["metadata"]["labels"] == {}


UNREADY = vm_snapshot(HELD, ready=False)
SNAPSHOT, CONTENT = vm_snapshot(HELD)
WRONG_TYPE = {**SNAPSHOT, "status": {"readyToUse": "yes"}}
OF_SNAPSHOT = {"kind": "VirtualMachineSnapshot"}
UNKNOWN: list[tuple[str, Object, list[Object], str]] = [
    ("no snapshot", restore("new"), [], 'snapshot "nightly" does not exist'),
    ("unready", restore("new"), UNREADY, 'snapshot "nightly" is not ready'),
    ("no status", restore("new"), [{**SNAPSHOT, "status": None}, CONTENT], "not ready"),
    ("readiness of a wrong type", restore("new"), [WRONG_TYPE, CONTENT], "not ready"),
    ("no content", restore("new"), [SNAPSHOT], "not ready"),
    ("names no snapshot", {**restore("new"), "spec": {}}, [SNAPSHOT, CONTENT], 'snapshot "" does not exist'),
    ("clone of no VM", clone("absent"), [HELD], 'VirtualMachine "absent" does not exist'),
    ("clone of nothing", {**clone("x"), "spec": {}}, [HELD], 'VirtualMachine "" does not exist'),
    ("clone of no snapshot", clone("x", **OF_SNAPSHOT), [], 'snapshot "x" does not exist'),
    ("clone of an unready snapshot", clone("nightly", **OF_SNAPSHOT), UNREADY, "not ready"),
]


@table(UNKNOWN, "obj objects why")
def test_unknown_source_is_named(obj: Object, objects: list[Object], why: str) -> None:
    found = read_created(obj, "vms", Snapshot(objects))
    assert isinstance(found, str)
    assert why in found


@pytest.mark.parametrize("patches", ["x", {}, 7, None], ids=repr)
def test_patches_that_are_not_a_list_are_ignored(patches: object) -> None:
    obj = restore("new")
    assert created({**obj, "spec": {**obj["spec"], "patches": patches}}, *vm_snapshot(HELD)).vm
