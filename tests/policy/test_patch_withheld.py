"""evictionStrategy of a VM that is admitted although it cannot migrate: LiveMigrate would block every node drain."""

from collections.abc import Callable

import pytest

from tests.build import Object, disk, kubevirt, vm, vmi
from tests.policy.samples import SAMPLES, table, verdict
from tests.policy.test_patch import KINDS, after, notes
from webhook.policy.rules import RULES

ADMITTED: list[tuple[str, Object, list[Object]]] = [
    ("a violation that only warns", {"mode": "warn"}, [disk("once")]),
    ("a rule that is off", {"rules": {"shared-access": "off"}}, [disk("once")]),
    ("one rule off, one warns", {"rules": {"shared-access": "off", "san-block": "warn"}}, [disk("san-fs-once")]),
]


@KINDS
@pytest.mark.parametrize("before", [None, "None", "LiveMigrateIfPossible"])
@table(ADMITTED, "settings volumes")
def test_a_vm_that_is_admitted_although_it_cannot_migrate_never_gets_it(
    make: Callable[..., Object], before: str | None, settings: Object, volumes: list[Object]
) -> None:
    obj = make(*volumes, **({"evictionStrategy": before} if before else {}))
    assert verdict(obj, **settings).allowed
    assert after(obj, **settings) == before


@pytest.mark.parametrize("action", ["warn", "off"])
@pytest.mark.parametrize("rule", [rule.name for rule in RULES if rule.makes_unmigratable])
def test_whichever_rule_keeps_it_from_migrating_it_never_gets_it(rule: str, action: str) -> None:
    vm_object, objects = SAMPLES[rule]
    found = verdict(vm_object, *objects, rules={rule: action})
    assert (found.allowed, found.patch) == (True, [])
    assert [violation.rule for violation in found.violations] == ([] if action == "off" else [rule])
    assert action == "warn" or found.warnings == []


def test_an_old_violator_never_gets_it_with_a_change_of_its_template() -> None:
    assert after(vm(disk("once"), disk("good")), old=vm(disk("once"))) is None


def test_a_vm_that_cannot_migrate_and_says_live_migrate_is_warned_of_drains() -> None:
    obj = vm(disk("once"), evictionStrategy="LiveMigrate")
    assert after(obj, mode="warn") == "LiveMigrate"
    (line,) = notes(verdict(obj, mode="warn"))
    assert "blocks every node drain" in line


@pytest.mark.parametrize("default", ["LiveMigrate", "LiveMigrateIfPossible", "None", None])
def test_only_a_vmi_that_cannot_migrate_is_kept_from_the_clusters_default(default: str | None) -> None:
    cluster = kubevirt(**({"evictionStrategy": default} if default else {}))
    expected = "LiveMigrateIfPossible" if default == "LiveMigrate" else None
    assert after(vmi(disk("once")), cluster, mode="warn") == expected
    assert after(vm(disk("once")), cluster, mode="warn") is None
