"""Volumes that move to another PVC: forward only to where they can live-migrate, back always."""

import pytest

from tests.build import RWO, Object, claim, data_volume_disk, disk, host_disk, vm, vmi
from tests.build_paths import KUBEVIRT
from tests.policy.samples import table, verdict
from webhook import Verdict

RUNNING = {"created": True}


def update(old: Object, new: Object, *objects: Object) -> Verdict:
    return verdict(new, KUBEVIRT, claim("once-too", RWO), *objects, old=old, final=True)


def move(source: str, destination: str, volume: str = "root") -> Object:
    """Return an entry of migratedVolumes as KubeVirt writes it."""
    claims = {"sourcePVCInfo": {"claimName": source}, "destinationPVCInfo": {"claimName": destination}}
    return {"volumeName": volume, **claims}


def moving(*moves: Object) -> Object:
    """Return the status of a VirtualMachine whose volumes are moving."""
    return {**RUNNING, "volumeUpdateState": {"volumeMigrationState": {"migratedVolumes": list(moves)}}}


def root(claim_name: str, status: Object | None = None, *more: Object) -> Object:
    spec = {"updateVolumesStrategy": "Migration"}
    return vm(disk(claim_name, "root"), *more, spec=spec, status=status)


def root_of_vmi(claim_name: str, *more: Object, status: Object | None = None) -> Object:
    return {**vmi(disk(claim_name, "root"), *more), "status": status or {}}


def denied(found: Verdict) -> list[str]:
    return [violation.rule for violation in found.violations if violation.denies]


FORWARD = [
    ("ReadWriteOnce to ReadWriteMany", "once", "good", []),
    ("ReadWriteOnce to Block on SAN", "once-block", "good-block", []),
    ("ReadWriteMany to ReadWriteOnce", "good", "once", ["shared-access"]),
    ("ReadWriteMany to Filesystem on SAN", "good", "san-fs", ["san-block"]),
]


@pytest.mark.parametrize("status", [RUNNING, None], ids=["running", "halted"])
@table(FORWARD, "old new rules")
def test_a_volume_moves_only_to_where_it_can_live_migrate(
    old: str, new: str, rules: list[str], status: Object | None
) -> None:
    vm_object = vm(disk(old, "root"), status=status)
    assert denied(update(vm_object, root(new, status))) == rules


FLYING = {"migratedVolumes": [move("good", "once")]}
MOVING = root_of_vmi("once", status=FLYING)
MOVING_BESIDE = root_of_vmi("once", disk("once-too"), status=FLYING)
OF_VMI: list[tuple[str, Object, Object, list[str]]] = [
    ("a volume that is moving", root_of_vmi("good"), MOVING, []),
    ("another volume beside it", MOVING, MOVING_BESIDE, ["shared-access"]),
    ("a move that has ended", root_of_vmi("good"), root_of_vmi("once"), ["shared-access"]),
]


@table(OF_VMI, "old new rules")
def test_a_volume_of_a_vmi_is_evaluated_unless_it_is_moving(old: Object, new: Object, rules: list[str]) -> None:
    found = update(old, new)
    assert [violation.rule for violation in found.violations] == denied(found) == rules


AWAY = moving(move("once", "good"))
TWO = moving(move("once", "good", "a"), move("once-too", "good-block", "b"))
AT_TARGETS, AT_SOURCES = (
    vm(disk(a, "a"), disk(b, "b"), status=TWO) for a, b in (("good", "good-block"), ("once", "once-too"))
)
OF_A_VMI = root_of_vmi("good", status={"migratedVolumes": [move("once", "good")]})
BACK: list[tuple[str, Object, Object, list[str]]] = [
    ("a PVC", root("good", AWAY), root("once", AWAY), []),
    ("a DataVolume", root("good", AWAY), vm(data_volume_disk("once", "root"), status=AWAY), []),
    ("two volumes", AT_TARGETS, AT_SOURCES, []),
    ("a VMI", OF_A_VMI, root_of_vmi("once"), []),
    ("a third PVC", root("good", AWAY), root("once-too", AWAY), ["shared-access"]),
    ("what only the new object's status names", root("good", RUNNING), root("once", AWAY), ["shared-access"]),
    ("another violation", root("good", AWAY), root("once", RUNNING, host_disk("h")), ["host-disk"]),
]


@table(BACK, "old new rules")
def test_a_cancelled_move_goes_back_to_its_source_alone(old: Object, new: Object, rules: list[str]) -> None:
    """A user may send any status beside a new template."""
    found = update(old, new)
    assert denied(found) == rules
    assert rules or {violation.preexisting for violation in found.violations} == {True}


MOUNTED: list[tuple[str, Object, Object, list[str]]] = [
    ("the running VMI mounts it", RUNNING, root_of_vmi("once"), []),
    ("the VMI mounts another", RUNNING, root_of_vmi("good"), ["shared-access"]),
    ("the VMI is another VM's", RUNNING, vmi(disk("once", "root"), name="other"), ["shared-access"]),
    ("there is no VMI", RUNNING, vm(disk("once", "root"), name="other"), ["shared-access"]),
    ("the VM does not run", {"created": False}, root_of_vmi("once"), ["shared-access"]),
]


@table(MOUNTED, "status there rules")
def test_a_vm_goes_back_only_to_what_its_running_vmi_still_mounts(
    status: Object, there: Object, rules: list[str]
) -> None:
    found = update(root("good", status), root("once", status), there)
    assert (denied(found), found.allowed) == (rules, rules == [])
