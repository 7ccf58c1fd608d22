"""smb-share: a disk on an SMB share."""

from typing import Any

import pytest

from tests.build import (
    RWO,
    RWX,
    Object,
    backend,
    claim,
    disk,
    persistent_volume,
    storage_class,
    templated_vm,
    vm,
    vmi,
)
from tests.policy.samples import verdict

RULE = "smb-share"
SMB = storage_class("smb", backendType="ontap-nas", nasType="smb")
PREFIXED: Object = {"trident.netapp.io/nasType": "smb"}
ON_SMB = claim("c", RWX, storage_class="smb")


def rules(vm_object: Object, *objects: Object) -> list[str]:
    return [found.rule for found in verdict(vm_object, *objects).violations]


def _config(kind: str | None) -> dict[str, Any]:
    return {"nasType": kind} if kind else {}


def by_backends(*kinds: str | None) -> tuple[Object, ...]:
    """Return a PVC on a class of selectors, and backends of these kinds that it may use."""
    made = (backend(f"u{index}", "ontap-nas", f"tbe-{index}", **_config(kind)) for index, kind in enumerate(kinds))
    return (storage_class("any"), claim("c", RWX, storage_class="any"), *made)


def bound(kind: str | None) -> tuple[Object, ...]:
    volume = persistent_volume("pv", "file", backend="u")
    return (volume, backend("u", "ontap-nas", **_config(kind)), claim("c", RWX, volume="pv"))


CASES: list[tuple[str, tuple[Object, ...], list[str]]] = [
    ("its class", (SMB, ON_SMB), [RULE]),
    ("its class, in capitals", (storage_class("smb", nasType="SMB"), ON_SMB), [RULE]),
    (
        "its class, with Trident's prefix",
        (storage_class("smb", **PREFIXED), ON_SMB),
        [RULE],
    ),
    ("its class, over NFS", (storage_class("smb", backendType="ontap-nas", nasType="nfs"), ON_SMB), []),
    ("its class, of another provisioner", (storage_class("smb", provisioner="x", nasType="smb"), ON_SMB), []),
    ("the backend of its volume", bound("smb"), [RULE]),
    ("the backend of its volume, over NFS", bound("nfs"), []),
    ("the backend of its volume, which does not say", bound(None), []),
    (
        "its volume, whatever its class says",
        (SMB, *bound("nfs")[:2], claim("c", RWX, storage_class="smb", volume="pv")),
        [],
    ),
    ("all backends of its class", by_backends("smb", "smb"), [RULE]),
    ("one of the backends of its class", by_backends("smb", "nfs"), []),
    ("one of the backends of its class, the other does not say", by_backends("smb", None), []),
]


@pytest.mark.parametrize(("objects", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_share_is_known_by(objects: tuple[Object, ...], expected: list[str]) -> None:
    assert rules(vm(disk("c")), *objects) == expected


def test_it_is_admitted_with_a_warning_and_protected() -> None:
    found = verdict(vm(disk("c")), SMB, ON_SMB)
    assert found.allowed
    assert [violation.action for violation in found.violations] == ["warn"]
    assert any(RULE in line and "SMB" in line for line in found.warnings)
    assert [operation["value"] for operation in found.patch] == ["LiveMigrate"]


def test_the_rule_denies_where_the_settings_say_so() -> None:
    assert not verdict(vm(disk("c")), SMB, ON_SMB, rules={RULE: "deny"}).allowed


def test_the_violation_says_where_what_and_why() -> None:
    (found,) = verdict(vm(disk("good"), disk("c", "data")), SMB, ON_SMB).violations
    assert (found.rule, found.reason, found.volume) == (RULE, None, "data")
    assert found.field == "spec.template.spec.volumes[1].persistentVolumeClaim.claimName"
    for part in ('"data"', '"c"', "SMB", "does not even start"):
        assert part in found.message
    assert "smb" in (found.evidence or "") or "ontap-nas" in (found.evidence or "")


@pytest.mark.parametrize(
    "vm_object",
    [vmi(disk("c")), templated_vm("d", spec={"storage": {"storageClassName": "smb"}})],
    ids=["instance", "template"],
)
def test_wherever_the_volume_stands_it_is_found(vm_object: Object) -> None:
    assert rules(vm_object, SMB, ON_SMB) == [RULE]


def test_a_share_of_one_node_breaks_both_rules() -> None:
    assert sorted(rules(vm(disk("c")), SMB, claim("c", RWO, storage_class="smb"))) == ["shared-access", RULE]


def test_a_share_that_was_there_is_preexisting() -> None:
    found = verdict(vm(disk("c"), disk("good")), SMB, ON_SMB, old=vm(disk("c")), rules={RULE: "deny"})
    assert [violation.preexisting for violation in found.violations] == [True]
