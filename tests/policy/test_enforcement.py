"""A namespace's label caps what every rule does in it, and never raises it."""

import itertools

import pytest

from tests.build import CLUSTER, Object, disk, vm, vmi
from tests.build_paths import KUBEVIRT, namespace
from webhook import Settings, Verdict, evaluate

STRENGTH = {"off": 0, "warn": 1, "deny": 2}


def evaluated(obj: Object, *objects: Object, mode: str = "deny", rules: Object | None = None) -> Verdict:
    settings = Settings.parse({"mode": mode, "rules": rules or {}})
    return evaluate(obj, [KUBEVIRT, *CLUSTER, *objects], settings=settings)


@pytest.mark.parametrize(("mode", "level"), list(itertools.product(STRENGTH, STRENGTH)))
def test_the_milder_of_setting_and_label_holds(mode: str, level: str) -> None:
    found = evaluated(vm(disk("once")), namespace(enforcement=level), mode=mode)
    actions = {0: [], 1: ["warn"], 2: ["deny"]}[min(STRENGTH[mode], STRENGTH[level])]
    assert [violation.action for violation in found.violations] == actions
    assert found.allowed is (actions != ["deny"])


@pytest.mark.parametrize("level", ["", "Deny", "none", "true", "disabled"])
def test_a_label_that_is_no_level_changes_nothing(level: str) -> None:
    assert not evaluated(vm(disk("once")), namespace(enforcement=level)).allowed


def test_deny_on_a_namespace_does_not_raise_a_rule_that_warns() -> None:
    found = evaluated(vm(disk("once")), namespace(enforcement="deny"), rules={"shared-access": "warn"})
    assert [violation.action for violation in found.violations] == ["warn"]


def test_a_namespace_that_warns_caps_a_rule_that_the_settings_raised() -> None:
    found = evaluated(vm(disk("absent")), namespace(enforcement="warn"), rules={"claim-known": "deny"})
    assert [violation.action for violation in found.violations] == ["warn"]


def test_a_namespace_that_is_not_known_has_no_label() -> None:
    assert not evaluated(vm(disk("once"))).allowed


def test_the_label_of_another_namespace_changes_nothing() -> None:
    other = namespace(enforcement="off")
    assert not evaluated(vm(disk("once")), {**other, "metadata": {**other["metadata"], "name": "other"}}).allowed


@pytest.mark.parametrize("level", ["off", "warn"])
@pytest.mark.parametrize("make", [vm, vmi], ids=["VirtualMachine", "instance"])
def test_a_vm_that_gets_in_by_the_label_is_not_given_live_migrate(make: type, level: str) -> None:
    assert evaluated(make(disk("once")), namespace(enforcement=level)).patch == []


@pytest.mark.parametrize(("level", "patched"), [("off", False), ("warn", True), ("deny", True)])
def test_a_good_vm_is_patched_but_where_the_namespace_is_off(level: str, patched: bool) -> None:
    assert bool(evaluated(vm(disk("good")), namespace(enforcement=level)).patch) is patched
