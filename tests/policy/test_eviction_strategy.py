"""eviction-strategy: an explicit strategy that keeps a drain from migrating."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.build import CLUSTER, Object, disk, vm, vmi
from webhook import Settings, Verdict, evaluate

RULE = "eviction-strategy"
OTHERS = ["None", "LiveMigrateIfPossible", "SomethingNew"]
KEPT = ["LiveMigrate", "External"]


def evaluated(
    vm_object: Object, old: Object | None = None, *, final: bool = True, strategy: str = "enforce", **settings: object
) -> Verdict:
    found = Settings.parse({"evictionStrategy": strategy, **settings})
    operation = "UPDATE" if old else "CREATE"
    return evaluate(vm_object, CLUSTER, old=old, settings=found, operation=operation, final=final)


def vm_object(strategy: str | None = None, **more: Any) -> Object:
    fields: Object = {} if strategy is None else {"evictionStrategy": strategy}
    return vm(disk("good"), **fields, **more)


@pytest.mark.parametrize("strategy", OTHERS)
@pytest.mark.parametrize("make", [vm, vmi], ids=["VirtualMachine", "instance"])
def test_another_strategy_that_came_past_our_patch_is_denied(make: Callable[..., Object], strategy: str) -> None:
    found = evaluated(make(disk("good"), evictionStrategy=strategy))
    assert not found.allowed
    assert [violation.rule for violation in found.violations] == [RULE]
    assert f'"{strategy}"' in found.violations[0].message


@pytest.mark.parametrize("strategy", OTHERS)
def test_another_strategy_is_not_denied_where_our_patch_replaces_it(strategy: str) -> None:
    found = evaluated(vm_object(strategy), final=False)
    assert found.violations == []
    assert [operation["value"] for operation in found.patch] == ["LiveMigrate"]


@pytest.mark.parametrize("strategy", KEPT)
def test_a_strategy_that_protects_is_admitted(strategy: str) -> None:
    assert evaluated(vm_object(strategy)).violations == []


def test_a_field_that_is_merely_absent_draws_a_warning() -> None:
    found = evaluated(vm_object())
    assert found.violations == []
    assert [RULE in line and "unset" in line for line in found.warnings] == [True]


def test_lowering_the_strategy_of_a_running_vm_is_denied() -> None:
    running = {"created": True}
    found = evaluated(vm_object("None", status=running), vm_object("LiveMigrate", status=running))
    assert not found.allowed
    assert [violation.rule for violation in found.violations] == [RULE]


@pytest.mark.parametrize("final", [True, False], ids=["validate", "mutate"])
def test_lowering_it_is_denied_on_both_sides(final: bool) -> None:
    running = {"created": True}
    assert not evaluated(
        vm_object("None", status=running), vm_object("LiveMigrate", status=running), final=final
    ).allowed


@pytest.mark.parametrize("before", OTHERS)
@pytest.mark.parametrize("after", OTHERS)
def test_only_the_strategy_that_the_vm_had_is_preexisting_with_a_warning(before: str, after: str) -> None:
    running = {"created": True}
    found = evaluated(vm_object(after, status=running, hostname="x"), vm_object(before, status=running))
    assert found.allowed is (after == before)
    assert [(violation.rule, violation.preexisting) for violation in found.violations] == [(RULE, after == before)]
    assert any(RULE in line and "pre-existing" in line for line in found.warnings) is (after == before)


@pytest.mark.parametrize("setting", ["default", "off"])
def test_only_the_setting_enforce_denies(setting: str) -> None:
    assert evaluated(vm_object("None"), strategy=setting).violations == []


@pytest.mark.parametrize("volume", ["once", "san-fs"])
def test_a_vm_that_gets_in_although_it_cannot_migrate_may_say_what_it_likes(volume: str) -> None:
    found = evaluated(vm(disk(volume), evictionStrategy="None"), mode="warn")
    assert found.allowed
    assert RULE not in [violation.rule for violation in found.violations]


def test_a_vm_that_is_denied_anyway_hears_of_its_strategy_too() -> None:
    found = evaluated(vm(disk("once"), evictionStrategy="None"))
    assert [violation.rule for violation in found.violations] == ["shared-access", RULE]


def test_the_violation_concerns_the_whole_vm_at_the_path_of_the_field() -> None:
    (found,) = evaluated(vm_object("None")).violations
    assert (found.reason, found.volume, found.field) == (None, None, "spec.template.spec.evictionStrategy")
    assert "LiveMigrate" in found.remedy
    assert "drain" in found.message
