"""persistent-reservation: a SCSI reservation, which stays with its initiator."""

import pytest

from tests.build import CLUSTER, Object, disk, kubevirt, vm, vmi
from tests.policy.samples import devices
from webhook import Settings, Verdict, evaluate

RULE = "persistent-reservation"
DISKS = "spec.template.spec.domain.devices.disks"


def verdict(
    vm_object: Object, version: str | None = "v1.8.4", old: Object | None = None, **settings: object
) -> Verdict:
    cluster = [*CLUSTER, kubevirt(version=version)]
    found = Settings.parse(settings)
    return evaluate(vm_object, cluster, old=old, settings=found, operation="UPDATE" if old else "CREATE")


def lun(name: str = "good", reservation: object = True) -> Object:
    return {"name": name, "lun": {"reservation": reservation}}


def vm_object(*disks: Object) -> Object:
    return vm(disk("good"), domain=devices(disks=list(disks)))


VERSIONS = [
    ("v1.5.3", True),
    ("v1.6.6", True),
    ("v1.8.4", True),
    ("v1.9.0-rc.2", False),
    ("v1.9.0", False),
    ("v1.10.0", False),
    ("v2.0.0", False),
    ("something", False),
    (None, False),
]


@pytest.mark.parametrize(("version", "broken"), VERSIONS, ids=[str(row[0]) for row in VERSIONS])
def test_a_reservation_is_denied_before_1_9(version: str | None, broken: bool) -> None:
    assert [found.rule for found in verdict(vm_object(lun()), version).violations] == ([RULE] if broken else [])


@pytest.mark.parametrize(("version", "broken"), [("1.8", True), ("v1.8.4", True), ("1.9", False)])
def test_the_version_of_the_settings_goes_before_the_clusters(version: str, broken: bool) -> None:
    assert bool(verdict(vm_object(lun()), "v1.8.4", kubevirt={"version": version}).violations) is broken
    assert bool(verdict(vm_object(lun()), "v1.9.0", kubevirt={"version": version}).violations) is broken


@pytest.mark.parametrize("reservation", [False, None, "true", 1], ids=repr)
def test_a_lun_without_a_reservation_is_admitted(reservation: object) -> None:
    assert verdict(vm_object(lun(reservation=reservation))).violations == []


def test_a_disk_that_is_no_lun_has_none() -> None:
    assert verdict(vm_object({"name": "good", "disk": {"reservation": True}})).violations == []


def test_the_violation_says_where_what_and_why() -> None:
    (found,) = verdict(vm_object({"name": "x", "disk": {}}, lun("shared"))).violations
    assert (found.rule, found.reason, found.action) == (RULE, "PersistentReservationNotLiveMigratable", "deny")
    assert found.field == f"{DISKS}[1].lun.reservation"
    assert '"shared"' in found.message
    assert "does not live-migrate" in found.message


def test_an_vmi_is_evaluated_at_its_own_path() -> None:
    (found,) = verdict(vmi(domain=devices(disks=[lun("a")]))).violations
    assert found.field == "spec.domain.devices.disks[0].lun.reservation"


RATCHET = [
    ("the same", [lun("a")], [lun("a")], [True]),
    ("one more", [lun("a")], [lun("b"), lun("a")], [False, True]),
    ("on another disk", [lun("a"), lun("b", False)], [lun("a", False), lun("b")], [False]),
]


@pytest.mark.parametrize(
    ("before", "after", "preexisting"), [row[1:] for row in RATCHET], ids=[row[0] for row in RATCHET]
)
def test_a_reservation_is_preexisting_by_the_name_of_its_disk(
    before: list[Object], after: list[Object], preexisting: list[bool]
) -> None:
    found = verdict(vm_object(*after), old=vm_object(*before))
    assert [violation.preexisting for violation in found.violations] == preexisting
