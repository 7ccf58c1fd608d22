"""Writes of KubeVirt's rarer features: memory dumps, CD-ROMs, targets of a migration, several hot-plugs at once."""

import pytest

from tests.build import Object, disk, vm, vmi, volume_request
from tests.build_paths import ALICE, APISERVER, CONTROLLER, ask, known_as, owned

DUMP = {"name": "dump", "memoryDump": {"claimName": "once", "hotpluggable": True}}
DB = known_as(vm(disk("good")))
DUMP_ASKED_FOR = {"memoryDumpRequest": {"claimName": "once", "phase": "Associating"}}
DUMPS = {
    "the request of a dump": (vm(disk("good"), status=DUMP_ASKED_FOR), vm(disk("good")), APISERVER, "status"),
    "its VMI": (owned(vmi(disk("good"), DUMP), DB), owned(vmi(disk("good")), DB), CONTROLLER, ""),
    "its template": (vm(disk("good"), DUMP), vm(disk("good")), CONTROLLER, ""),
}


@pytest.mark.parametrize(("new", "old", "user", "subresource"), DUMPS.values(), ids=DUMPS)
def test_a_memory_dump_to_a_pvc_of_one_node_is_admitted(new: Object, old: Object, user: str, subresource: str) -> None:
    found = ask(new, old, DB, user=user, subresource=subresource)
    assert (found.allowed, found.warnings) == (True, [])


def test_a_bad_disk_beside_a_memory_dump_is_denied() -> None:
    found = ask(vm(disk("good"), DUMP, disk("once")), vm(disk("good")))
    assert found.fields == ["spec.template.spec.volumes[2].persistentVolumeClaim.claimName"]


def with_drive(*inserted: Object) -> Object:
    """Return a VM with a CD-ROM drive, and what is in it."""
    return vm(disk("good"), *inserted, domain={"devices": {"disks": [{"name": "cd", "cdrom": {"bus": "sata"}}]}})


def medium(claim: str) -> Object:
    return {"name": "cd", "persistentVolumeClaim": {"claimName": claim, "hotpluggable": True}}


def test_an_empty_drive_is_admitted() -> None:
    assert ask(with_drive()).allowed


@pytest.mark.parametrize(("claim", "rules"), [("good-block", []), ("once", ["shared-access"])])
def test_what_is_inserted_into_a_drive_is_evaluated_as_any_disk(claim: str, rules: list[str]) -> None:
    assert ask(with_drive(medium(claim)), with_drive()).rules == rules


def test_what_takes_the_place_of_a_bad_medium_in_a_drive_is_preexisting_like_it() -> None:
    """A violation is known by the name of its volume."""
    found = ask(with_drive(medium("san-fs-once")), with_drive(medium("once")))
    assert found.rules == ["san-block"]


@pytest.mark.parametrize("user", [ALICE, APISERVER])
def test_whatever_is_in_a_drive_may_be_ejected(user: str) -> None:
    found = ask(with_drive(), with_drive(medium("once")), user=user)
    assert (found.allowed, found.warnings) == (True, [])


@pytest.mark.parametrize(("claim", "rules"), [("good", []), ("once", ["shared-access"])])
def test_a_vm_that_waits_as_receiver_of_a_migration_is_evaluated_as_any_other(claim: str, rules: list[str]) -> None:
    assert ask(vm(disk(claim), spec={"runStrategy": "WaitAsReceiver"})).rules == rules


def requested(*requests: Object) -> Object:
    return vm(disk("good"), disk("once", "old"), status={"volumeRequests": list(requests)})


REMOVAL = {"removeVolumeOptions": {"name": "old"}}


def test_of_several_hot_plugs_at_once_the_bad_one_alone_is_named() -> None:
    asked = requested(volume_request(disk("good-block")), volume_request(disk("san-fs")), REMOVAL)
    found = ask(asked, requested(), user=APISERVER, subresource="status")
    where = "status.volumeRequests[1].addVolumeOptions.volumeSource.persistentVolumeClaim.claimName"
    assert (found.rules, found.fields) == (["san-block"], [where])


def test_good_hot_plugs_and_the_removal_of_a_bad_disk_at_once_are_admitted() -> None:
    asked = requested(volume_request(disk("good-block")), REMOVAL)
    assert ask(asked, requested(), user=APISERVER, subresource="status").allowed


def test_a_bad_disk_that_is_being_removed_excuses_no_other() -> None:
    asked = requested(REMOVAL, volume_request(disk("once", "new")))
    assert ask(asked, requested(), user=APISERVER, subresource="status").rules == ["shared-access"]
