"""eviction-strategy: an explicit strategy that keeps a drain from migrating."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.build import Object, disk, vm, vmi
from tests.policy.samples import table, verdict

RULE = "eviction-strategy"
OTHERS = ["None", "LiveMigrateIfPossible", "SomethingNew"]
RUNNING: Any = {"status": {"created": True}}


def vm_object(strategy: str | None = None, **more: Any) -> Object:
    return vm(disk("good"), **(more if strategy is None else {"evictionStrategy": strategy, **more}))


KINDS = [("VirtualMachine", vm, "spec.template.spec"), ("VMI", vmi, "spec")]


@pytest.mark.parametrize("strategy", OTHERS)
@table(KINDS, "make root")
def test_another_strategy_that_our_patch_did_not_replace_is_denied(
    make: Callable[..., Object], root: str, strategy: str
) -> None:
    found = verdict(make(disk("good"), evictionStrategy=strategy), final=True)
    assert not found.allowed
    (violation,) = found.violations
    assert (violation.rule, violation.reason, violation.volume) == (RULE, None, None)
    assert violation.field == f"{root}.evictionStrategy"
    assert f'"{strategy}"' in violation.message
    assert "drain" in violation.message
    assert "LiveMigrate" in violation.remedy


@pytest.mark.parametrize("setting", ["enforce", "default", "off"])
@pytest.mark.parametrize("strategy", [*OTHERS, "LiveMigrate", "External"])
def test_a_strategy_that_protects_is_admitted_and_any_where_the_setting_does_not_enforce(
    strategy: str, setting: str
) -> None:
    found = verdict(vm_object(strategy), final=True, evictionStrategy=setting)
    is_denied = strategy in OTHERS and setting == "enforce"
    assert [violation.rule for violation in found.violations] == [RULE] * is_denied
    assert found.warnings == []


UNSET = [
    ("a VM", "CREATE", vm_object(), True, True),
    ("a VMI, which nothing else sets", "CREATE", vmi(disk("good")), True, False),
    ("an update", "UPDATE", vm_object(hostname="x"), False, False),
]


@table(UNSET, "operation obj warned names_vmi")
def test_a_field_that_our_patch_did_not_set_draws_a_warning(
    operation: str, obj: Object, warned: bool, names_vmi: bool
) -> None:
    found = verdict(obj, old=vm_object() if operation == "UPDATE" else None, final=True)
    assert found.violations == []
    assert ["is unset" in line and line.endswith(f"[{RULE}]") for line in found.warnings] == [True] * warned
    assert any("; creating its VMI sets LiveMigrate" in line for line in found.warnings) is names_vmi


@pytest.mark.parametrize("final", [True, False], ids=["validate", "mutate"])
@pytest.mark.parametrize("after", OTHERS)
@pytest.mark.parametrize("before", ["LiveMigrate", *OTHERS])
def test_only_the_strategy_that_a_running_vm_had_is_preexisting_with_a_warning(
    before: str, after: str, final: bool
) -> None:
    found = verdict(vm_object(after, hostname="x", **RUNNING), old=vm_object(before, **RUNNING), final=final)
    assert found.allowed is (after == before)
    assert [(violation.rule, violation.preexisting) for violation in found.violations] == [(RULE, after == before)]
    assert any(RULE in line and "pre-existing" in line for line in found.warnings) is (after == before)


def test_a_vm_that_is_denied_anyway_is_denied_for_its_strategy_too() -> None:
    found = verdict(vm(disk("once"), evictionStrategy="None"), final=True)
    assert [violation.rule for violation in found.violations] == ["shared-access", RULE]
