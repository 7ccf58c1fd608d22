"""san-block: a filesystem on a backend that speaks a block protocol."""

import pytest

from tests.build import (
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
    volume_request,
)
from tests.policy.samples import rules, table, verdict

RULE = "san-block"
DRIVERS = {
    **dict.fromkeys(["ontap-san", "ontap-san-economy", "solidfire-san", "google-cloud-netapp-volumes-san"], True),
    **dict.fromkeys(["ontap-nas", "ontap-nas-economy", "ontap-nas-flexgroup", "azure-netapp-files"], False),
}


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_filesystem_is_denied_on_a_san_class_although_shared(driver: str) -> None:
    found = verdict(
        vm(disk("c")), storage_class("x", backendType=driver), claim("c", RWX, storage_class="x")
    ).violations
    assert [violation.rule for violation in found] == ([RULE] if DRIVERS[driver] else [])
    assert all(violation.what.endswith(f"on {driver}") for violation in found)


@pytest.mark.parametrize("driver", DRIVERS)
def test_block_mode_is_admitted_on_every_class(driver: str) -> None:
    objects = (storage_class("x", backendType=driver), claim("c", RWX, mode="Block", storage_class="x"))
    assert rules(vm(disk("c")), *objects) == []


def test_the_bound_volume_is_believed_before_the_class() -> None:
    volume = persistent_volume("pv", "block", backend="u")
    objects = (volume, backend("u", "ontap-san-economy"), claim("c", RWX, storage_class="nas", volume="pv"))
    (found,) = verdict(vm(disk("c")), *objects).violations
    assert found.rule == RULE
    assert "ontap-san-economy" in found.message
    assert "bound PV pv" in (found.evidence or "")


UNDECIDED: list[tuple[str, tuple[Object, ...]]] = [
    ("foreign class", (claim("c", RWX, storage_class="other"),)),
    ("no such class", (claim("c", RWX, storage_class="gone"),)),
    ("no class", (claim("c", RWX, storage_class=None),)),
    ("no driver named", (claim("c", RWX, storage_class="any"), storage_class("any"))),
    *(
        (name, (claim("c", RWX, storage_class="san", volume="pv"), volume))
        for name, volume in (
            ("foreign volume", persistent_volume("pv", driver="x.example.com")),
            ("undecided volume", persistent_volume("pv")),
            ("volume on NAS of a SAN class", persistent_volume("pv", "file")),
        )
    ),
]


@table(UNDECIDED, "objects")
def test_an_undecided_or_foreign_driver_violates_nothing(objects: tuple[Object, ...]) -> None:
    assert rules(vm(disk("c")), *objects) == []


def on_san(part: str = "storage", **asked: object) -> Object:
    return templated_vm("d", spec={part: {"storageClassName": "san", **asked}})


VMS: list[tuple[str, Object, list[str]]] = [
    ("PVC for one node", vm(disk("san-fs-once")), [RULE, "shared-access"]),
    ("DataVolume", vm(data_volume_disk("san-fs")), [RULE]),
    ("hot-plug request", vm(status={"volumeRequests": [volume_request(disk("san-fs"))]}), [RULE]),
    ("template with both modes", on_san(accessModes=[RWX], volumeMode="Filesystem"), [RULE]),
    ("template for one node", on_san(accessModes=[RWO]), [RULE, "shared-access"]),
    ("template that is shared", on_san(accessModes=[RWX]), []),
    ("template without modes", on_san(), []),
    ("template in Block mode", on_san(volumeMode="Block"), []),
    ("pvc part of a template", on_san("pvc", accessModes=[RWX]), [RULE]),
    ("pvc part in Block mode", on_san("pvc", accessModes=[RWX], volumeMode="Block"), []),
]


@table(VMS, "vm_object expected")
def test_a_volume_is_evaluated_wherever_it_is(vm_object: Object, expected: list[str]) -> None:
    assert sorted(rules(vm_object)) == expected
