"""san-block: a filesystem on a backend that speaks a block protocol."""

import pytest

from tests.build import (
    CLUSTER,
    RWO,
    RWX,
    Object,
    backend,
    claim,
    data_volume_disk,
    disk,
    persistent_volume,
    storage_class,
    templated_vm,
    vm,
    vmi,
    volume_request,
)
from webhook import Verdict, evaluate

RULE = "san-block"
SAN_DRIVERS = ["ontap-san", "ontap-san-economy", "solidfire-san", "google-cloud-netapp-volumes-san"]
NAS_DRIVERS = ["ontap-nas", "ontap-nas-economy", "ontap-nas-flexgroup", "azure-netapp-files"]


def verdict(vm_object: Object, *objects: Object) -> Verdict:
    return evaluate(vm_object, [*CLUSTER, *objects])


def rules(vm_object: Object, *objects: Object) -> list[str]:
    return [found.rule for found in verdict(vm_object, *objects).violations]


@pytest.mark.parametrize("driver", SAN_DRIVERS)
def test_a_filesystem_on_a_san_class_is_denied_although_shared(driver: str) -> None:
    objects = (storage_class("x", backendType=driver), claim("c", RWX, storage_class="x"))
    found = verdict(vm(disk("c")), *objects)
    assert not found.allowed
    assert [violation.rule for violation in found.violations] == [RULE]
    assert driver in found.violations[0].message


@pytest.mark.parametrize("driver", SAN_DRIVERS)
def test_block_mode_on_a_san_class_is_admitted(driver: str) -> None:
    objects = (storage_class("x", backendType=driver), claim("c", RWX, mode="Block", storage_class="x"))
    assert rules(vm(disk("c")), *objects) == []


@pytest.mark.parametrize("driver", NAS_DRIVERS)
def test_a_filesystem_on_a_nas_class_is_admitted(driver: str) -> None:
    objects = (storage_class("x", backendType=driver), claim("c", RWX, storage_class="x"))
    assert rules(vm(disk("c")), *objects) == []


def test_the_bound_volume_is_believed_before_the_class() -> None:
    volume = persistent_volume("pv", "block", backend="u")
    objects = (volume, backend("u", "ontap-san-economy"), claim("c", RWX, storage_class="nas", volume="pv"))
    (found,) = verdict(vm(disk("c")), *objects).violations
    assert found.rule == RULE
    assert "ontap-san-economy" in found.message
    assert "bound PV pv" in (found.evidence or "")


def test_a_bound_volume_on_nas_clears_a_class_of_san() -> None:
    objects = (persistent_volume("pv", "file"), claim("c", RWX, storage_class="san", volume="pv"))
    assert rules(vm(disk("c")), *objects) == []


@pytest.mark.parametrize(
    "objects",
    [
        (claim("c", RWX, storage_class="other"),),
        (claim("c", RWX, storage_class="gone"),),
        (claim("c", RWX, storage_class=None),),
        (claim("c", RWX, storage_class="any"), storage_class("any")),
        (claim("c", RWX, storage_class="san", volume="pv"), persistent_volume("pv", driver="x.example.com")),
        (claim("c", RWX, storage_class="san", volume="pv"), persistent_volume("pv")),
    ],
    ids=["foreign class", "no such class", "no class", "no driver named", "foreign volume", "undecided volume"],
)
def test_an_undecided_or_foreign_driver_breaks_nothing(objects: tuple[Object, ...]) -> None:
    assert rules(vm(disk("c")), *objects) == []


def test_a_pvc_of_one_node_in_filesystem_mode_on_san_breaks_both_rules() -> None:
    assert sorted(rules(vm(disk("san-fs-once")))) == [RULE, "shared-access"]


def test_the_violation_says_where_what_and_why() -> None:
    (found,) = verdict(vm(disk("good"), disk("san-fs", "data"))).violations
    assert (found.reason, found.action, found.volume) == (None, "deny", "data")
    assert found.field == "spec.template.spec.volumes[1].persistentVolumeClaim.claimName"
    for part in ('"data"', '"san-fs"', "Filesystem", "ontap-san", "cannot live-migrate"):
        assert part in found.message
    assert "volumeMode Block" in found.remedy
    assert RWX in found.remedy


@pytest.mark.parametrize(
    "vm_object",
    [
        vm(data_volume_disk("san-fs")),
        vmi(disk("san-fs")),
        vm(status={"volumeRequests": [volume_request(disk("san-fs"))]}),
    ],
    ids=["DataVolume", "instance", "hot-plug request"],
)
def test_wherever_the_volume_stands_it_is_denied(vm_object: Object) -> None:
    assert rules(vm_object) == [RULE]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"accessModes": [RWX], "volumeMode": "Filesystem"}, [RULE]),
        ({"accessModes": [RWO]}, [RULE, "shared-access"]),
        ({"accessModes": [RWX]}, []),
        ({}, []),
        ({"volumeMode": "Block"}, []),
    ],
    ids=["both given", "one node", "shared", "nothing", "Block"],
)
def test_a_template_on_san_is_evaluated_by_what_cdi_makes(asked: Object, expected: list[str]) -> None:
    vm_object = templated_vm("d", spec={"storage": {"storageClassName": "san", **asked}})
    assert sorted(rules(vm_object)) == expected


def test_the_pvc_part_of_a_template_on_san_is_in_filesystem_mode_unless_it_says_block() -> None:
    def vm_object(**pvc: object) -> Object:
        return templated_vm("d", spec={"pvc": {"storageClassName": "san", "accessModes": [RWX], **pvc}})

    assert rules(vm_object()) == [RULE]
    assert rules(vm_object(volumeMode="Block")) == []


def test_the_remedy_for_a_template_names_the_part_to_change() -> None:
    asked = {"storageClassName": "san", "accessModes": [RWX], "volumeMode": "Filesystem"}
    (found,) = verdict(templated_vm("d", spec={"storage": asked})).violations
    assert "spec.dataVolumeTemplates[0].spec.storage" in found.remedy
