"""What a rule does, and the mode that caps it."""

from pathlib import Path
from typing import Any

import pytest

from tests.build import CLUSTER, disk, vm
from webhook import Settings, Verdict, evaluate
from webhook.cluster import Snapshot, Undecidable
from webhook.cluster.resources import Resource

STRICTNESS = ["off", "warn", "deny"]
RULE = "shared-access"
VM_OBJECT = vm(disk("once"))


def evaluated(settings: str, tmp_path: Path) -> Verdict:
    """Return the verdict by settings as somebody writes them, in YAML."""
    path = tmp_path / "settings.yaml"
    path.write_text(settings, encoding="utf-8")
    return evaluate(VM_OBJECT, CLUSTER, settings=Settings.load(path))


@pytest.mark.parametrize("mode", STRICTNESS)
@pytest.mark.parametrize("action", STRICTNESS)
def test_a_rule_does_the_laxer_of_its_action_and_the_mode(mode: str, action: str, tmp_path: Path) -> None:
    found = evaluated(f"mode: {mode}\nrules:\n  {RULE}: {action}\n", tmp_path)
    done = min(mode, action, key=STRICTNESS.index)
    assert [violation.action for violation in found.violations] == ([] if done == "off" else [done])
    assert found.allowed is (done != "deny")
    assert any(RULE in line for line in found.warnings) is (done == "warn")


@pytest.mark.parametrize(("mode", "actions"), [("deny", ["deny"]), ("warn", ["warn"]), ("off", []), ('"off"', [])])
def test_the_mode_caps_a_rule_that_is_not_named(mode: str, actions: list[str], tmp_path: Path) -> None:
    assert [violation.action for violation in evaluated(f"mode: {mode}\n", tmp_path).violations] == actions


def test_the_mode_makes_no_rule_stricter(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("mode: deny\n", encoding="utf-8")
    found = evaluate(vm(disk("nowhere")), CLUSTER, settings=Settings.load(path))
    assert [(violation.rule, violation.action) for violation in found.violations] == [("claim-known", "warn")]


def test_a_rule_that_is_off_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(f"rules: {{{RULE}: off}}\n", encoding="utf-8")
    found = evaluate(vm(disk("san-fs-once")), CLUSTER, settings=Settings.load(path))
    assert [(violation.rule, violation.action) for violation in found.violations] == [("san-block", "deny")]


def test_the_brake_says_nothing_and_patches_nothing(tmp_path: Path) -> None:
    found = evaluated("mode: off\n", tmp_path)
    assert (found.allowed, found.violations, found.warnings, found.patch) == (True, [], [], [])


class Unreachable(Snapshot):
    """A cluster that cannot say anything."""

    def list(self, resource: Resource[Any]) -> Any:
        """Fail."""
        raise Undecidable("out of reach")


def test_the_brake_asks_no_cluster() -> None:
    found = evaluate(VM_OBJECT, Unreachable(), settings=Settings.parse({"mode": "off"}))
    assert (found.allowed, found.warnings) == (True, [])
    with pytest.raises(Undecidable):
        evaluate(VM_OBJECT, Unreachable())


def test_the_brake_still_says_which_vm_was_asked_about(tmp_path: Path) -> None:
    found = evaluated("mode: off\n", tmp_path)
    assert (found.kind, found.namespace, found.name) == ("VirtualMachine", "vms", "db")


def test_a_rule_of_another_version_changes_nothing(tmp_path: Path) -> None:
    assert evaluated("rules: {no-such-rule: off}\n", tmp_path).violations == evaluate(VM_OBJECT, CLUSTER).violations
