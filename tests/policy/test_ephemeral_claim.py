"""ephemeral-claim: a temporary overlay on a PVC that a second node cannot attach."""

import pytest

from tests.build import ROX, RWO, RWX, claim, persistent_volume, templated_vm, vm
from tests.policy.samples import ephemeral, preexisting, rules

RULE = "ephemeral-claim"
OVERLAY = vm(ephemeral("e", "c"))
MODES = [
    ((RWO,), True),
    (("ReadWriteOncePod",), True),
    ((), True),
    ((ROX,), False),
    ((RWX,), False),
    ((RWO, ROX), False),
    ((RWO, RWX), False),
]


@pytest.mark.parametrize(("storage", "mode"), [("nas", "Filesystem"), ("nas", "Block"), ("other", "Filesystem")])
@pytest.mark.parametrize(("modes", "is_found"), MODES, ids=["+".join(row[0]) or "none" for row in MODES])
def test_the_pvc_must_be_one_that_a_second_node_can_attach(
    modes: tuple[str, ...], is_found: bool, storage: str, mode: str
) -> None:
    assert rules(OVERLAY, claim("c", *modes, mode=mode, storage_class=storage)) == ([RULE] if is_found else [])


@pytest.mark.parametrize("access", [ROX, RWX])
@pytest.mark.parametrize(("mode", "expected"), [("Filesystem", [RULE]), ("Block", [])])
def test_on_san_only_block_mode_can_be_attached_twice(access: str, mode: str, expected: list[str]) -> None:
    assert rules(OVERLAY, claim("c", access, mode=mode, storage_class="san")) == expected


def test_the_bound_volume_says_whether_it_is_on_san() -> None:
    assert rules(OVERLAY, claim("c", RWX, volume="pv"), persistent_volume("pv", "block")) == [RULE]


def test_an_overlay_on_a_pvc_that_is_not_known_violates_nothing() -> None:
    assert rules(OVERLAY) == []


def test_an_overlay_on_the_pvc_of_a_template_is_evaluated_by_what_cdi_makes() -> None:
    template = templated_vm("c", spec={"storage": {"storageClassName": "nas", "accessModes": [RWO]}})
    spec = {"dataVolumeTemplates": template["spec"]["dataVolumeTemplates"]}
    assert rules(vm(ephemeral("e", "c"), spec=spec)) == [RULE]


@pytest.mark.parametrize("new", [vm(ephemeral("e", "d")), vm(ephemeral("renamed", "c"))], ids=["by name", "by PVC"])
def test_an_overlay_that_was_there_is_preexisting(new: dict[str, object]) -> None:
    assert preexisting(new, claim("c", RWO), claim("d", RWO), old=OVERLAY) == [True]
