"""claim-known: a disk about which nothing can be said yet."""

import pytest

from tests.build import CLUSTER, RWX, Object, claim, data_volume, data_volume_disk, disk, templated_vm, vm, vmi
from webhook import Settings, Verdict, evaluate

RULE = "claim-known"


def verdict(vm_object: Object, *objects: Object, **settings: object) -> Verdict:
    return evaluate(vm_object, [*CLUSTER, *objects], settings=Settings.parse(settings))


@pytest.mark.parametrize(
    "vm_object",
    [vm(disk("nowhere")), vm(data_volume_disk("nowhere")), vmi(disk("nowhere"))],
    ids=["claim", "dv", "vmi"],
)
def test_a_pvc_that_nobody_makes_is_admitted_with_a_warning(vm_object: Object) -> None:
    found = verdict(vm_object)
    assert found.allowed
    assert [(violation.rule, violation.action) for violation in found.violations] == [(RULE, "warn")]
    assert any(RULE in line and '"nowhere"' in line and "does not exist" in line for line in found.warnings)


def test_the_rule_denies_where_the_settings_say_so() -> None:
    found = verdict(vm(disk("nowhere")), rules={RULE: "deny"})
    assert not found.allowed
    (violation,) = found.violations
    assert (violation.reason, violation.volume) == (None, "nowhere")
    assert violation.field == "spec.template.spec.volumes[0].persistentVolumeClaim.claimName"


def test_a_pvc_of_another_namespace_is_not_known() -> None:
    found = verdict(vm(disk("c")), claim("c", RWX, namespace="elsewhere"))
    assert [violation.rule for violation in found.violations] == [RULE]


UNRENDERED = [
    ({"storage": {"storageClassName": "san", "volumeMode": "Filesystem"}}, "volumeMode Filesystem"),
    ({"storage": {"storageClassName": "other"}}, '"other"'),
    ({"storage": {"storageClassName": "gone"}}, '"gone"'),
    ({"storage": {}}, "no default StorageClass"),
    ({"contentType": "archive", "storage": {"storageClassName": "san", "volumeMode": "Block"}}, "archive"),
    ({"storage": {}, "pvc": {}}, "exactly one"),
]


@pytest.mark.parametrize(("spec", "reason"), UNRENDERED, ids=[row[1] for row in UNRENDERED])
def test_a_template_of_which_cdi_makes_nothing_breaks_this_rule_alone_and_gives_the_reason(
    spec: Object, reason: str
) -> None:
    found = verdict(templated_vm("d", spec=spec))
    assert found.allowed
    (violation,) = found.violations
    assert violation.rule == RULE
    assert reason in violation.message
    assert "spec.dataVolumeTemplates[0].spec" in violation.remedy


@pytest.mark.parametrize(("spec", "reason"), UNRENDERED, ids=[row[1] for row in UNRENDERED])
def test_a_data_volume_of_which_cdi_makes_nothing_gives_the_reason(spec: Object, reason: str) -> None:
    (violation,) = verdict(vm(data_volume_disk("d")), data_volume("d", **spec)).violations
    assert violation.rule == RULE
    assert reason in violation.message


def test_a_pvc_that_exists_breaks_nothing_whatever_the_template_says() -> None:
    vm_object = templated_vm("good", spec={"storage": {"storageClassName": "gone"}})
    assert verdict(vm_object).violations == []


def test_a_vm_of_which_a_pvc_is_not_known_is_protected_all_the_same() -> None:
    assert [operation["value"] for operation in verdict(vm(disk("nowhere"))).eviction_patch] == ["LiveMigrate"]
