"""Volumes that move to another PVC: forward only to where they can live-migrate, back always."""

import pytest

from tests.build import RWO, Object, claim, data_volume_disk, disk, host_disk, vm, vmi
from tests.build_paths import KUBEVIRT
from tests.policy.samples import table, verdict
from webhook import Verdict

MIGRATION = {"updateVolumesStrategy": "Migration"}
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


def root(claim_name: str, status: Object | None = None) -> Object:
    return vm(disk(claim_name, "root"), spec=MIGRATION, status=status)


def denied(found: Verdict) -> list[str]:
    return [violation.rule for violation in found.violations if violation.denies]


FORWARD = [
    ("ReadWriteOnce to ReadWriteMany", "once", "good", []),
    ("ReadWriteOnce to Block on SAN", "once-block", "good-block", []),
    ("ReadWriteMany to ReadWriteMany", "good", "good-block", []),
    ("ReadWriteMany to ReadWriteOnce", "good", "once", ["shared-access"]),
    ("ReadWriteMany to Filesystem on SAN", "good", "san-fs", ["san-block"]),
]


@pytest.mark.parametrize("status", [RUNNING, None], ids=["running", "halted"])
@table(FORWARD, "old new rules")
def test_a_volume_moves_only_to_where_it_can_live_migrate(
    old: str, new: str, rules: list[str], status: Object | None
) -> None:
    vm_object = vm(disk(old, "root"), status=status)
    assert denied(update(vm_object, root(new, status=status))) == rules


FLYING = {"status": {"migratedVolumes": [move("good", "once")]}}
OF_VMI: list[tuple[str, Object, Object, list[str]]] = [
    ("a volume that is moving", vmi(disk("good", "root")), {**vmi(disk("once", "root")), **FLYING}, []),
    (
        "another volume beside it",
        {**vmi(disk("once", "root")), **FLYING},
        {**vmi(disk("once", "root"), disk("once-too")), **FLYING},
        ["shared-access"],
    ),
    ("a move that has ended", vmi(disk("good", "root")), vmi(disk("once", "root")), ["shared-access"]),
]


@table(OF_VMI, "old new rules")
def test_a_volume_of_a_vmi_is_evaluated_unless_it_is_moving(old: Object, new: Object, rules: list[str]) -> None:
    found = update(old, new)
    assert [violation.rule for violation in found.violations] == denied(found) == rules


AWAY = moving(move("once", "good"))
TWO = moving(move("once", "good", "a"), move("once-too", "good-block", "b"))
BACK: list[tuple[str, Object, Object, list[str]]] = [
    ("a PVC", root("good", AWAY), vm(disk("once", "root"), status=AWAY), []),
    ("a DataVolume", root("good", AWAY), vm(data_volume_disk("once", "root"), status=AWAY), []),
    (
        "two volumes",
        vm(disk("good", "a"), disk("good-block", "b"), status=TWO),
        vm(disk("once", "a"), disk("once-too", "b"), status=TWO),
        [],
    ),
    (
        "a VMI",
        {**vmi(disk("good", "root")), "status": {"migratedVolumes": [move("once", "good")]}},
        vmi(disk("once", "root")),
        [],
    ),
    ("a third PVC", root("good", AWAY), root("once-too", AWAY), ["shared-access"]),
    ("what only the new object's status names", root("good", RUNNING), root("once", AWAY), ["shared-access"]),
    ("another violation", root("good", AWAY), vm(disk("once", "root"), host_disk("h"), status=RUNNING), ["host-disk"]),
]


@table(BACK, "old new rules")
def test_a_cancelled_move_goes_back_to_its_source_alone(old: Object, new: Object, rules: list[str]) -> None:
    """A user may send any status beside a new template."""
    found = update(old, new)
    assert denied(found) == rules
    assert rules or {violation.preexisting for violation in found.violations} == {True}


def test_a_vm_goes_back_to_what_its_running_vmi_still_mounts() -> None:
    old, new = root("good", status=RUNNING), root("once", status=RUNNING)
    assert update(old, new, vmi(disk("once", "root"))).allowed


NOT_MOUNTED = [
    ("the VMI mounts another", RUNNING, vmi(disk("good", "root"))),
    ("the VMI is another VM's", RUNNING, vmi(disk("once", "root"), name="other")),
    ("there is no VMI", RUNNING, vm(disk("once", "root"), name="other")),
    ("the VM does not run", {"created": False}, vmi(disk("once", "root"))),
]


@table(NOT_MOUNTED, "status there")
def test_nothing_is_gone_back_to_that_no_running_vmi_mounts(status: Object, there: Object) -> None:
    old, new = root("good", status=status), root("once", status=status)
    assert denied(update(old, new, there)) == ["shared-access"]
