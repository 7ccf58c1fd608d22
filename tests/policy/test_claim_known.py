"""claim-known: a disk whose PVC cannot be evaluated yet."""

import pytest

from tests.build import RWX, Object, claim, data_volume, data_volume_disk, disk, templated_vm, vm
from tests.policy.samples import rules, verdict

RULE = "claim-known"


def test_a_data_volume_that_does_not_exist_is_warned_about() -> None:
    found = verdict(vm(data_volume_disk("nowhere")))
    assert [(violation.rule, violation.action) for violation in found.violations] == [(RULE, "warn")]
    assert any(RULE in line and '"nowhere" does not exist' in line for line in found.warnings)


def test_the_rule_denies_where_the_settings_say_so() -> None:
    assert not verdict(vm(disk("nowhere")), rules={RULE: "deny"}).allowed


def test_a_pvc_of_another_namespace_is_not_known() -> None:
    assert rules(vm(disk("c")), claim("c", RWX, namespace="elsewhere")) == [RULE]


UNRENDERED = [
    ({"storage": {"storageClassName": "san", "volumeMode": "Filesystem"}}, "volumeMode Filesystem"),
    ({"storage": {"storageClassName": "other"}}, '"other"'),
    ({"storage": {"storageClassName": "gone"}}, '"gone"'),
    ({"storage": {}}, "no default StorageClass"),
    ({"contentType": "archive", "storage": {"storageClassName": "san", "volumeMode": "Block"}}, "archive"),
    ({"storage": {}, "pvc": {}}, "exactly one"),
]


@pytest.mark.parametrize(("spec", "reason"), UNRENDERED, ids=[row[1] for row in UNRENDERED])
def test_what_cdi_cannot_render_violates_this_rule_alone_and_gives_the_reason(spec: Object, reason: str) -> None:
    found = verdict(templated_vm("d", spec=spec))
    (of_template,) = found.violations
    (of_data_volume,) = verdict(vm(data_volume_disk("d")), data_volume("d", **spec)).violations
    assert found.allowed
    assert "spec.dataVolumeTemplates[0].spec" in of_template.remedy
    assert {of_template.rule, of_data_volume.rule} == {RULE}
    assert reason in of_template.message
    assert reason in of_data_volume.message


def test_a_pvc_that_exists_violates_nothing_whatever_the_template_says() -> None:
    assert rules(templated_vm("good", spec={"storage": {"storageClassName": "gone"}})) == []
