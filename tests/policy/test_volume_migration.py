"""Volumes that move to another PVC: forward only to where they can live-migrate, back always."""

import pytest

from tests.build import CLUSTER, RWO, Object, claim, data_volume_disk, disk, vm, vmi
from tests.build_paths import KUBEVIRT
from webhook import Verdict, evaluate

MIGRATION = {"updateVolumesStrategy": "Migration"}
RUNNING = {"created": True}


def update(old: Object, new: Object, *objects: Object) -> Verdict:
    found = [KUBEVIRT, *CLUSTER, claim("once-too", RWO), *objects]
    return evaluate(new, found, old=old, operation="UPDATE", final=True)


def move(source: str, destination: str, volume: str = "root") -> Object:
    """Return an entry of migratedVolumes as KubeVirt writes it."""
    claims = {"sourcePVCInfo": {"claimName": source}, "destinationPVCInfo": {"claimName": destination}}
    return {"volumeName": volume, **claims}


def moving(*moves: Object) -> Object:
    """Return the status of a VirtualMachine whose volumes are on their way."""
    return {**RUNNING, "volumeUpdateState": {"volumeMigrationState": {"migratedVolumes": list(moves)}}}


def root(claim_name: str, status: Object | None = None) -> Object:
    return vm(disk(claim_name, "root"), spec=MIGRATION, status=status)


def denied(verdict: Verdict) -> list[str]:
    return [violation.rule for violation in verdict.violations if violation.denies]


FORWARD = [
    ("ReadWriteOnce to ReadWriteMany", "once", "good", []),
    ("ReadWriteOnce to Block on SAN", "once-block", "good-block", []),
    ("ReadWriteMany to ReadWriteMany", "good", "good-block", []),
    ("ReadWriteMany to ReadWriteOnce", "good", "once", ["shared-access"]),
    ("ReadWriteMany to Filesystem on SAN", "good", "san-fs", ["san-block"]),
]


@pytest.mark.parametrize("status", [RUNNING, None], ids=["running", "halted"])
@pytest.mark.parametrize(("old", "new", "rules"), [row[1:] for row in FORWARD], ids=[row[0] for row in FORWARD])
def test_a_volume_moves_only_to_where_it_can_live_migrate(
    old: str, new: str, rules: list[str], status: Object | None
) -> None:
    vm_object = vm(disk(old, "root"), status=status)
    assert denied(update(vm_object, root(new, status=status))) == rules


def test_an_vmis_volume_that_is_just_moving_breaks_no_rule() -> None:
    before = vmi(disk("good", "root"))
    flying = {**vmi(disk("once", "root")), "status": {"migratedVolumes": [move("good", "once")]}}
    assert update(before, flying).violations == []


def test_another_volume_of_an_vmi_with_one_that_is_moving_is_evaluated() -> None:
    status = {"migratedVolumes": [move("good", "once")]}
    before = {**vmi(disk("once", "root")), "status": status}
    after = {**vmi(disk("once", "root"), disk("once-too")), "status": status}
    assert denied(update(before, after)) == ["shared-access"]


def test_a_move_that_has_ended_on_a_pvc_for_one_node_is_a_violation_again() -> None:
    vm_object = vmi(disk("once", "root"))
    found = evaluate(vm_object, [KUBEVIRT, *CLUSTER], final=True)
    assert denied(found) == ["shared-access"]


CANCELLED = [
    ("a PVC", disk("once", "root")),
    ("a DataVolume", data_volume_disk("once", "root")),
]


@pytest.mark.parametrize("back", [row[1] for row in CANCELLED], ids=[row[0] for row in CANCELLED])
def test_a_cancelled_move_goes_back_to_its_source(back: Object) -> None:
    old = root("good", status=moving(move("once", "good")))
    found = update(old, vm(back, status=moving(move("once", "good"))))
    assert (found.allowed, [violation.preexisting for violation in found.violations]) == (True, [True])


def test_of_several_moves_each_goes_back_to_its_source() -> None:
    status = moving(move("once", "good", "a"), move("once-too", "good-block", "b"))
    old = vm(disk("good", "a"), disk("good-block", "b"), status=status)
    assert update(old, vm(disk("once", "a"), disk("once-too", "b"), status=status)).allowed


def test_a_cancelled_move_of_an_vmi_goes_back_to_its_source() -> None:
    old = {**vmi(disk("good", "root")), "status": {"migratedVolumes": [move("once", "good")]}}
    assert update(old, vmi(disk("once", "root"))).allowed


def test_a_move_does_not_open_the_way_to_a_third_pvc() -> None:
    old = root("good", status=moving(move("once", "good")))
    assert denied(update(old, root("once-too", status=moving(move("once", "good"))))) == ["shared-access"]


def test_what_the_new_object_says_of_its_move_does_not_count() -> None:
    """A user may send any status beside a new template."""
    forged = root("once", status=moving(move("once", "good")))
    assert denied(update(root("good", status=RUNNING), forged)) == ["shared-access"]


def test_a_vm_goes_back_to_what_its_running_vmi_still_mounts() -> None:
    old, new = root("good", status=RUNNING), root("once", status=RUNNING)
    assert update(old, new, vmi(disk("once", "root"))).allowed


NOT_MOUNTED = [
    ("the VMI mounts another", RUNNING, vmi(disk("good", "root"))),
    ("the VMI is another VM's", RUNNING, vmi(disk("once", "root"), name="other")),
    ("there is no VMI", RUNNING, vm(disk("once", "root"), name="other")),
    ("the VM does not run", {"created": False}, vmi(disk("once", "root"))),
]


@pytest.mark.parametrize(("status", "there"), [row[1:] for row in NOT_MOUNTED], ids=[row[0] for row in NOT_MOUNTED])
def test_nothing_is_gone_back_to_that_no_running_vmi_mounts(status: Object, there: Object) -> None:
    old, new = root("good", status=status), root("once", status=status)
    assert denied(update(old, new, there)) == ["shared-access"]


def test_the_source_of_a_move_is_no_way_in_for_another_violation() -> None:
    old = root("good", status=moving(move("once", "good")))
    new = vm(disk("once", "root"), {"name": "h", "hostDisk": {"path": "/x", "type": "Disk"}}, status=RUNNING)
    assert denied(update(old, new)) == ["host-disk"]
