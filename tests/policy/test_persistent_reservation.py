"""persistent-reservation: a SCSI reservation, which is bound to its initiator."""

import pytest

from tests.build import Object, disk, kubevirt, vm
from tests.policy.samples import OLD_KUBEVIRT, devices, preexisting, rules, table

RULE = "persistent-reservation"


def lun(name: str = "good", reservation: object = True) -> Object:
    return {"name": name, "lun": {"reservation": reservation}}


def vm_object(*disks: Object) -> Object:
    return vm(disk("good"), domain=devices(disks=list(disks)))


VERSIONS = [
    # what KubeVirt observes, what the settings say
    ("v1.5.3", "auto", True),
    ("v1.8.4", "auto", True),
    ("v1.9.0-rc.2", "auto", False),
    ("v1.9.0", "auto", False),
    ("v1.10.0", "auto", False),
    ("v2.0.0", "auto", False),
    ("something", "auto", False),
    (None, "auto", False),
    ("v1.9.0", "1.8", True),
    ("v1.9.0", "v1.8.4", True),
    ("v1.8.4", "1.9", False),
]


@pytest.mark.parametrize(("version", "setting", "is_denied"), VERSIONS)
def test_a_reservation_is_denied_before_1_9(version: str | None, setting: str, is_denied: bool) -> None:
    found = rules(vm_object(lun()), kubevirt(version=version), kubevirt={"version": setting})
    assert found == ([RULE] if is_denied else [])


@pytest.mark.parametrize("reservation", [False, None, "true", 1], ids=repr)
def test_a_lun_without_a_reservation_is_admitted(reservation: object) -> None:
    assert rules(vm_object(lun(reservation=reservation)), OLD_KUBEVIRT) == []


def test_a_disk_that_is_no_lun_has_none() -> None:
    assert rules(vm_object({"name": "good", "disk": {"reservation": True}}), OLD_KUBEVIRT) == []


RATCHET = [
    ("one more", [lun("a")], [lun("b"), lun("a")], [False, True]),
    ("on another disk", [lun("a"), lun("b", False)], [lun("a", False), lun("b")], [False]),
]


@table(RATCHET, "before after expected")
def test_a_reservation_is_preexisting_by_the_name_of_its_disk(
    before: list[Object], after: list[Object], expected: list[bool]
) -> None:
    assert preexisting(vm_object(*after), OLD_KUBEVIRT, old=vm_object(*before)) == expected
