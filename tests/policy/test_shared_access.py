"""shared-access: a PVC without ReadWriteMany."""

import pytest

from tests.build import (
    ROX,
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
from tests.policy.samples import rules, verdict

RULE = "shared-access"


def volumes(vm_object: Object, *objects: Object) -> list[str | None]:
    return [found.volume for found in verdict(vm_object, *objects).violations if found.rule == RULE]


@pytest.mark.parametrize("modes", [(RWO,), (ROX,), ("ReadWriteOncePod",), (RWO, ROX), ()], ids=repr)
@pytest.mark.parametrize(("mode", "storage"), [("Filesystem", "nas"), ("Block", "san"), ("Filesystem", "gone")])
def test_a_pvc_without_read_write_many_is_denied(modes: tuple[str, ...], mode: str, storage: str) -> None:
    assert rules(vm(disk("c")), claim("c", *modes, mode=mode, storage_class=storage)) == [RULE]


@pytest.mark.parametrize("modes", [(RWX,), (RWO, RWX), (RWX, ROX)], ids="+".join)
@pytest.mark.parametrize(("mode", "storage"), [("Filesystem", "nas"), ("Block", "san"), ("Filesystem", "other")])
def test_a_pvc_with_read_write_many_is_admitted(modes: tuple[str, ...], mode: str, storage: str) -> None:
    assert rules(vm(disk("c")), claim("c", *modes, mode=mode, storage_class=storage)) == []


def test_the_status_of_a_pvc_does_not_count() -> None:
    found = {**claim("c", RWO), "status": {"accessModes": [RWX, RWO], "phase": "Bound"}}
    assert volumes(vm(disk("c")), found) == ["c"]


def test_every_volume_is_named_at_once_in_the_order_of_the_vm() -> None:
    assert volumes(vm(disk("once", "z"), disk("good"), disk("once-block", "a"))) == ["z", "a"]


@pytest.mark.parametrize(
    "vm_object",
    [
        vm(data_volume_disk("once")),
        vm(status={"volumeRequests": [volume_request(disk("once"))]}),
        *(vm(disk("once"), domain={"devices": {"disks": [{"name": "once", sort: {}}]}}) for sort in ("cdrom", "lun")),
        vm({"name": "once", "persistentVolumeClaim": {"claimName": "once", "readOnly": True}}),
    ],
    ids=["DataVolume", "hot-plug request", "cdrom", "lun", "read-only"],
)
def test_a_volume_is_denied_wherever_it_is_and_whatever_its_disk(vm_object: Object) -> None:
    assert volumes(vm_object) == ["once"]


@pytest.mark.parametrize(
    "source", ["containerDisk", "cloudInitNoCloud", "configMap", "secret", "emptyDisk", "memoryDump", "ephemeral"]
)
def test_a_volume_without_a_pvc_of_its_own_does_not_matter(source: str) -> None:
    assert rules(vm({"name": "x", source: {"claimName": "once"}})) == []


def test_a_predicted_pvc_without_read_write_many_is_denied_at_the_volume() -> None:
    (of_template,) = verdict(
        templated_vm("d", spec={"storage": {"storageClassName": "nas", "accessModes": [RWO]}})
    ).violations
    assert (of_template.rule, of_template.field) == (RULE, "spec.template.spec.volumes[0].dataVolume.name")
    assert volumes(vm(data_volume_disk("d")), data_volume("d", pvc={"accessModes": [RWO]})) == ["d"]
    assert rules(templated_vm("d", spec={"storage": {"storageClassName": "san"}})) == []


@pytest.mark.parametrize(
    ("storage", "mode", "needed"),
    [("san", None, True), ("san", "Block", True), ("nas", None, False), ("other", None, False), ("any", None, False)],
)
def test_the_remedy_asks_for_block_mode_where_the_pvc_has_it_or_the_backend_needs_it(
    storage: str, mode: str | None, needed: bool
) -> None:
    objects = (storage_class("any"), claim("c", RWO, mode=mode, storage_class=storage))
    (remedy,) = (found.remedy for found in verdict(vm(disk("c")), *objects).violations if found.rule == RULE)
    assert RWX in remedy
    assert ("volumeMode Block" in remedy) is needed


def test_a_volume_that_is_migrating_does_not_matter_but_the_others_do() -> None:
    """KubeVirt copies it to a PVC of the other node."""
    moving = {"status": {"migratedVolumes": [{"volumeName": "a"}]}}
    assert volumes({**vmi(disk("once", "a"), disk("once-block", "b")), **moving}) == ["b"]
    assert volumes({**vmi(disk("once", "a")), **moving}) == []
