"""shared-access: a PVC without ReadWriteMany."""

import pytest

from tests.build import (
    CLUSTER,
    RWO,
    RWX,
    Object,
    claim,
    data_volume,
    data_volume_disk,
    disk,
    storage_class,
    templated_vm,
    vm,
    vmi,
    volume_request,
)
from webhook import Verdict, evaluate

ROX, RWOP = "ReadOnlyMany", "ReadWriteOncePod"
RULE = "shared-access"


def verdict(vm_object: Object, *objects: Object) -> Verdict:
    return evaluate(vm_object, [*CLUSTER, *objects])


def broken(vm_object: Object, *objects: Object) -> list[str | None]:
    return [found.volume for found in verdict(vm_object, *objects).violations if found.rule == RULE]


@pytest.mark.parametrize(
    "modes", [(RWO,), (ROX,), (RWOP,), (RWO, ROX), ()], ids=lambda modes: "+".join(modes) or "none"
)
@pytest.mark.parametrize("mode", ["Filesystem", "Block"])
@pytest.mark.parametrize("storage", ["nas", "other", "gone"])
def test_a_pvc_without_read_write_many_is_denied(modes: tuple[str, ...], mode: str, storage: str) -> None:
    found = verdict(vm(disk("c")), claim("c", *modes, mode=mode, storage_class=storage))
    assert not found.allowed
    assert [violation.rule for violation in found.violations] == [RULE]


@pytest.mark.parametrize("modes", [(RWX,), (RWO, RWX), (RWX, ROX)], ids="+".join)
@pytest.mark.parametrize(("mode", "storage"), [("Filesystem", "nas"), ("Block", "san"), ("Filesystem", "other")])
def test_a_pvc_with_read_write_many_is_admitted(modes: tuple[str, ...], mode: str, storage: str) -> None:
    found = verdict(vm(disk("c")), claim("c", *modes, mode=mode, storage_class=storage))
    assert found.allowed
    assert found.violations == []


def test_what_the_status_of_a_pvc_says_does_not_count() -> None:
    found = {**claim("c", RWO), "status": {"accessModes": [RWX, RWO], "phase": "Bound"}}
    assert broken(vm(disk("c")), found) == ["c"]


def test_the_violation_says_where_what_and_why() -> None:
    (found,) = verdict(vm(disk("good"), disk("once", "data"))).violations
    assert (found.rule, found.reason, found.action) == (RULE, "DisksNotLiveMigratable", "deny")
    assert (found.volume, found.field) == ("data", "spec.template.spec.volumes[1].persistentVolumeClaim.claimName")
    for part in ('"data"', '"once"', RWO, "cannot live-migrate"):
        assert part in found.message
    assert RWX in found.remedy
    assert RWO in (found.evidence or "")
    assert (found.preexisting, found.exempt) == (False, False)


def test_every_volume_is_named_at_once_in_the_order_of_the_vm() -> None:
    assert broken(vm(disk("once", "z"), disk("good"), disk("once-block", "a"))) == ["z", "a"]


@pytest.mark.parametrize(
    "vm_object",
    [vm(data_volume_disk("once")), vmi(disk("once")), vm(status={"volumeRequests": [volume_request(disk("once"))]})],
    ids=["DataVolume", "instance", "hot-plug request"],
)
def test_wherever_the_volume_stands_it_is_denied(vm_object: Object) -> None:
    assert not verdict(vm_object).allowed


@pytest.mark.parametrize("extra", [{"cdrom": {}}, {"lun": {}}, {"disk": {}}], ids=lambda extra: next(iter(extra)))
def test_what_the_disk_is_makes_no_difference(extra: Object) -> None:
    devices = {"disks": [{"name": "once", **extra}]}
    vm_object = vm(disk("once"), domain={"devices": devices})
    vm_object["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["readOnly"] = True
    assert broken(vm_object) == ["once"]


@pytest.mark.parametrize(
    "source",
    ["containerDisk", "cloudInitNoCloud", "configMap", "secret", "emptyDisk", "memoryDump", "ephemeral"],
)
def test_a_volume_without_a_pvc_of_its_own_is_no_matter(source: str) -> None:
    assert verdict(vm({"name": "x", source: {"claimName": "once"}})).violations == []


def test_a_template_that_will_be_without_read_write_many_is_denied_at_the_volume() -> None:
    found = verdict(templated_vm("d", spec={"storage": {"storageClassName": "nas", "accessModes": [RWO]}}))
    (violation,) = found.violations
    assert not found.allowed
    assert violation.field == "spec.template.spec.volumes[0].dataVolume.name"
    assert "spec.dataVolumeTemplates[0].spec.storage" in violation.remedy


def test_a_template_whose_modes_come_from_the_class_is_evaluated_by_what_cdi_makes() -> None:
    assert verdict(templated_vm("d", spec={"storage": {"storageClassName": "san"}})).violations == []


def test_a_data_volume_to_come_is_evaluated() -> None:
    assert broken(vm(data_volume_disk("d")), data_volume("d", pvc={"accessModes": [RWO]})) == ["d"]


@pytest.mark.parametrize(
    ("storage", "mode", "needed"),
    [("san", None, True), ("san", "Block", True), ("nas", None, False), ("other", None, False)],
)
def test_the_remedy_asks_for_block_mode_where_the_pvc_has_it_or_the_backend_needs_it(
    storage: str, mode: str | None, needed: bool
) -> None:
    found = verdict(vm(disk("c")), claim("c", RWO, mode=mode, storage_class=storage)).violations
    remedy = next(violation.remedy for violation in found if violation.rule == RULE)
    assert ("volumeMode Block" in remedy) is needed


def test_a_volume_that_is_just_being_moved_is_no_matter_but_the_others_are() -> None:
    """KubeVirt copies it to a PVC of the other node."""
    moving = {"status": {"migratedVolumes": [{"volumeName": "a"}]}}
    assert broken({**vmi(disk("once", "a"), disk("once-block", "b")), **moving}) == ["b"]
    assert broken({**vmi(disk("once", "a")), **moving}) == []


def test_a_pvc_of_a_class_that_names_no_driver_is_denied_for_its_access_alone() -> None:
    found = verdict(vm(disk("c")), storage_class("any"), claim("c", RWO, storage_class="any"))
    assert [violation.rule for violation in found.violations] == [RULE]
