"""san-block: a filesystem on a backend that speaks a block protocol."""

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
ECONOMY, ANY = storage_class("x", backendType="ontap-san-economy"), storage_class("any")
BOUND = claim("c", RWX, storage_class="san", volume="pv")
PVCS: list[tuple[str, tuple[Object, ...], list[str]]] = [
    ("on SAN, although shared", (claim("c", RWX, storage_class="san"),), [RULE]),
    ("on another driver for SAN", (claim("c", RWX, storage_class="x"), ECONOMY), [RULE]),
    ("on NAS", (claim("c", RWX, storage_class="nas"),), []),
    *((f"Block on {name}", (claim("c", RWX, mode="Block", storage_class=name),), []) for name in ("san", "nas")),
    ("foreign class", (claim("c", RWX, storage_class="other"),), []),
    ("no driver named", (claim("c", RWX, storage_class="any"), ANY), []),
    ("undecided volume of a SAN class", (BOUND, persistent_volume("pv")), []),
    ("volume on NAS of a SAN class", (BOUND, persistent_volume("pv", "file")), []),
]


@table(PVCS, "objects expected")
def test_a_filesystem_is_denied_where_the_driver_is_known_to_speak_a_block_protocol(
    objects: tuple[Object, ...], expected: list[str]
) -> None:
    assert rules(vm(disk("c")), *objects) == expected


def test_the_bound_volume_is_believed_before_the_class() -> None:
    volume = persistent_volume("pv", "block", backend="u")
    objects = (volume, backend("u", "ontap-san-economy"), claim("c", RWX, storage_class="nas", volume="pv"))
    (found,) = verdict(vm(disk("c")), *objects).violations
    assert found.rule == RULE
    assert "ontap-san-economy" in found.message
    assert "bound PV pv" in (found.evidence or "")


def on_san(part: str = "storage", **asked: object) -> Object:
    return templated_vm("d", spec={part: {"storageClassName": "san", **asked}})


VMS: list[tuple[str, Object, list[str]]] = [
    ("PVC for one node", vm(disk("san-fs-once")), [RULE, "shared-access"]),
    ("DataVolume", vm(data_volume_disk("san-fs")), [RULE]),
    ("hot-plug request", vm(status={"volumeRequests": [volume_request(disk("san-fs"))]}), [RULE]),
    ("template with both modes", on_san(accessModes=[RWX], volumeMode="Filesystem"), [RULE]),
    ("template for one node", on_san(accessModes=[RWO]), [RULE, "shared-access"]),
    ("template that is shared", on_san(accessModes=[RWX]), []),
    ("template in Block mode", on_san(volumeMode="Block"), []),
    ("pvc part of a template", on_san("pvc", accessModes=[RWX]), [RULE]),
    ("pvc part in Block mode", on_san("pvc", accessModes=[RWX], volumeMode="Block"), []),
]


@table(VMS, "vm_object expected")
def test_a_volume_is_evaluated_wherever_it_is(vm_object: Object, expected: list[str]) -> None:
    assert sorted(rules(vm_object)) == expected
