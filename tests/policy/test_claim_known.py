"""claim-known: a disk whose PVC cannot be evaluated yet."""

from collections.abc import Callable

import pytest

from tests.build import RWX, Object, claim, data_volume, data_volume_disk, disk, templated_vm, vm
from tests.policy.samples import rules, table, verdict

RULE = "claim-known"


@pytest.mark.parametrize("volume", [disk, data_volume_disk])
def test_a_pvc_of_another_namespace_is_not_known_and_warned_about(volume: Callable[..., Object]) -> None:
    found = verdict(vm(volume("nowhere")), claim("nowhere", RWX, namespace="elsewhere"))
    assert [(violation.rule, violation.action) for violation in found.violations] == [(RULE, "warn")]
    assert any(RULE in line and '"nowhere" does not exist' in line for line in found.warnings)


UNRENDERED: list[tuple[str, Object, str, str]] = [
    # the DataVolume's spec, the reason, the part of the template to correct
    ("no such class", {"storage": {"storageClassName": "gone"}}, '"gone"', ".storage"),
    ("no class", {"storage": {}, "pvc": None}, "no default StorageClass", ".storage"),
    ("no access mode", {"storage": None, "pvc": {}}, "no access mode", ".pvc"),
    ("both parts", {"storage": {}, "pvc": {}}, "exactly one", ".storage"),
    ("no part", {}, "exactly one", ""),
    ("no part but a null one", {"storage": None}, "exactly one", ""),
]


@table(UNRENDERED, "spec reason part")
def test_what_cdi_cannot_render_violates_this_rule_alone_with_the_reason_and_where_to_correct_it(
    spec: Object, reason: str, part: str
) -> None:
    found = verdict(templated_vm("d", spec=spec))
    (of_template,) = found.violations
    (of_data_volume,) = verdict(vm(data_volume_disk("d")), data_volume("d", **spec)).violations
    assert found.allowed
    assert of_template.remedy == f"Correct spec.dataVolumeTemplates[0].spec{part}"
    assert {of_template.rule, of_data_volume.rule} == {RULE}
    assert reason in of_template.message
    assert reason in of_data_volume.message


def test_a_pvc_that_exists_violates_nothing_whatever_the_template_says() -> None:
    assert rules(templated_vm("good", spec={"storage": {"storageClassName": "gone"}})) == []
