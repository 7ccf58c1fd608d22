"""shared-access: a PVC without ReadWriteMany."""

import pytest

from tests.build import ROX, RWO, RWX, Object, claim, data_volume_disk, disk, templated_vm, vm, volume_request
from tests.policy.samples import devices, rules, verdict

RULE = "shared-access"
MODES = [(RWO,), (ROX,), ("ReadWriteOncePod",), (RWO, ROX), (), (RWX,), (RWO, RWX), (RWX, ROX)]
STORAGE = [("Filesystem", "nas"), ("Block", "san"), ("Filesystem", "other"), ("Filesystem", "gone")]


def volumes(vm_object: Object, *objects: Object) -> list[str | None]:
    return [found.volume for found in verdict(vm_object, *objects).violations if found.rule == RULE]


@pytest.mark.parametrize("modes", MODES, ids="+".join)
@pytest.mark.parametrize(("mode", "storage"), STORAGE)
def test_a_pvc_is_denied_unless_it_has_read_write_many(modes: tuple[str, ...], mode: str, storage: str) -> None:
    found = rules(vm(disk("c")), claim("c", *modes, mode=mode, storage_class=storage))
    assert found == ([] if RWX in modes else [RULE])


def test_the_status_of_a_pvc_does_not_count() -> None:
    found = {**claim("c", RWO), "status": {"accessModes": [RWX, RWO], "phase": "Bound"}}
    assert volumes(vm(disk("c")), found) == ["c"]


def test_every_volume_is_named_at_once_in_the_order_of_the_vm() -> None:
    assert volumes(vm(disk("once", "z"), disk("good"), disk("once-block", "a"))) == ["z", "a"]


PLACES = {
    "DataVolume": vm(data_volume_disk("once")),
    "hot-plug request": vm(status={"volumeRequests": [volume_request(disk("once"))]}),
    **{sort: vm(disk("once"), domain=devices(disks=[{"name": "once", sort: {}}])) for sort in ("cdrom", "lun")},
    "read-only": vm({"name": "once", "persistentVolumeClaim": {"claimName": "once", "readOnly": True}}),
}


@pytest.mark.parametrize("vm_object", PLACES.values(), ids=PLACES)
def test_a_volume_is_denied_wherever_it_is_and_whatever_its_disk(vm_object: Object) -> None:
    assert volumes(vm_object) == ["once"]


def test_a_predicted_pvc_without_read_write_many_is_denied_at_the_volume() -> None:
    asked = {"storageClassName": "nas", "accessModes": [RWO]}
    (found,) = verdict(templated_vm("d", spec={"storage": asked})).violations
    assert (found.rule, found.field) == (RULE, "spec.template.spec.volumes[0].dataVolume.name")
    assert rules(templated_vm("d", spec={"storage": {"storageClassName": "san"}})) == []
