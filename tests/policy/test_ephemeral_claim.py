"""ephemeral-claim: a throw-away overlay over a PVC that stays on one node."""

import pytest

from tests.build import (
    ROX,
    RWO,
    RWX,
    Object,
    claim,
    disk,
    persistent_volume,
    storage_class,
    templated_vm,
    vm,
    vmi,
)
from tests.policy.samples import ephemeral, verdict

RULE = "ephemeral-claim"
RWOP = "ReadWriteOncePod"
OVERLAY = vm(ephemeral("e", "c"))


def rules(vm_object: Object, *objects: Object) -> list[str]:
    return [found.rule for found in verdict(vm_object, *objects).violations]


MODES = [
    ((RWO,), [RULE]),
    ((RWOP,), [RULE]),
    ((), [RULE]),
    ((ROX,), []),
    ((RWX,), []),
    ((RWO, ROX), []),
    ((RWO, RWX), []),
]


@pytest.mark.parametrize("mode", ["Filesystem", "Block"])
@pytest.mark.parametrize("storage", ["nas", "other"])
@pytest.mark.parametrize(("modes", "expected"), MODES, ids=["+".join(row[0]) or "none" for row in MODES])
def test_the_pvc_must_be_one_that_a_second_node_can_attach(
    modes: tuple[str, ...], expected: list[str], storage: str, mode: str
) -> None:
    assert rules(OVERLAY, claim("c", *modes, mode=mode, storage_class=storage)) == expected


@pytest.mark.parametrize("access", [ROX, RWX])
@pytest.mark.parametrize(("mode", "expected"), [("Filesystem", [RULE]), ("Block", [])])
def test_on_san_only_block_mode_can_be_attached_twice(access: str, mode: str, expected: list[str]) -> None:
    assert rules(OVERLAY, claim("c", access, mode=mode, storage_class="san")) == expected


def test_the_bound_volume_says_whether_it_is_on_san() -> None:
    objects = (claim("c", RWX, volume="pv"), persistent_volume("pv", "block"))
    assert rules(OVERLAY, *objects) == [RULE]


def test_an_overlay_over_a_pvc_that_is_not_known_breaks_nothing() -> None:
    assert rules(OVERLAY) == []


def test_an_overlay_over_the_pvc_of_a_template_is_evaluated_by_what_cdi_makes() -> None:
    template = templated_vm("c", spec={"storage": {"storageClassName": "nas", "accessModes": [RWO]}})
    vm_object = vm(ephemeral("e", "c"), spec={"dataVolumeTemplates": template["spec"]["dataVolumeTemplates"]})
    assert rules(vm_object) == [RULE]


def test_it_is_admitted_with_a_warning_and_protected() -> None:
    found = verdict(OVERLAY, claim("c", RWO))
    assert found.allowed
    assert any(RULE in line and "second node" in line for line in found.warnings)
    assert [operation["value"] for operation in found.patch] == ["LiveMigrate"]


def test_the_rule_denies_where_the_settings_say_so() -> None:
    assert not verdict(OVERLAY, claim("c", RWO), rules={RULE: "deny"}).allowed


def test_the_violation_says_where_what_and_why() -> None:
    (found,) = verdict(vm(disk("good"), ephemeral("e", "c")), claim("c", RWO)).violations
    assert (found.rule, found.reason, found.volume) == (RULE, None, "e")
    assert found.field == "spec.template.spec.volumes[1].ephemeral.persistentVolumeClaim.claimName"
    for part in ('"e"', '"c"', "would not start"):
        assert part in found.message
    assert RWO in (found.evidence or "")


def test_an_vmi_is_evaluated_at_its_own_path() -> None:
    (found,) = verdict(vmi(ephemeral("e", "c")), claim("c", RWO)).violations
    assert found.field == "spec.volumes[0].ephemeral.persistentVolumeClaim.claimName"


def test_an_overlay_that_was_there_is_preexisting_by_its_name_and_by_its_pvc() -> None:
    objects = (claim("c", RWO), claim("d", RWO), storage_class("x"))
    for new in (vm(ephemeral("e", "d")), vm(ephemeral("renamed", "c"))):
        found = verdict(new, *objects, old=OVERLAY, rules={RULE: "deny"})
        assert [violation.preexisting for violation in found.violations] == [True]
