"""What a rule does, and the global mode and the namespace's label that cap it."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from tests.build import CLUSTER, Object, disk, vm, vmi
from tests.build_paths import namespace
from tests.policy.samples import verdict
from webhook import Settings, Verdict, evaluate
from webhook.cluster import Snapshot, Undecidable
from webhook.cluster.resources import Resource

STRICTNESS = ["off", "warn", "deny"]
RULE = "shared-access"
BAD = vm(disk("once"))


def evaluated(settings: str, folder: Path, obj: Object = BAD) -> Verdict:
    """Return the verdict by settings in YAML."""
    path = folder / "settings.yaml"
    path.write_text(settings, encoding="utf-8")
    return evaluate(obj, CLUSTER, settings=Settings.load(path))


def actions(found: Verdict) -> list[tuple[str, str]]:
    return [(violation.rule, violation.action) for violation in found.violations]


@pytest.mark.parametrize(("mode", "action"), list(itertools.product(STRICTNESS, STRICTNESS)))
def test_a_rule_does_the_laxer_of_its_action_and_the_mode_and_the_namespaces_label_caps_it_too(
    mode: str, action: str, tmp_path: Path
) -> None:
    done = min(mode, action, key=STRICTNESS.index)
    by_action = evaluated(f"mode: {mode}\nrules:\n  {RULE}: {action}\n", tmp_path)
    for found in (by_action, verdict(BAD, namespace(enforcement=action), mode=mode)):
        assert actions(found) == ([] if done == "off" else [(RULE, done)])
        assert found.allowed is (done != "deny")
        assert any(RULE in line for line in found.warnings) is (done == "warn")


SETTINGS = [
    ("mode: deny", vm(disk("once")), [(RULE, "deny")]),
    ("mode: warn", vm(disk("once")), [(RULE, "warn")]),
    ('mode: "off"', vm(disk("once")), []),
    ("mode: deny", vm(disk("nowhere")), [("claim-known", "warn")]),
    (f"rules: {{{RULE}: off}}", vm(disk("san-fs-once")), [("san-block", "deny")]),
    ("rules: {no-such-rule: off}", vm(disk("once")), [(RULE, "deny")]),
]


@pytest.mark.parametrize(("settings", "obj", "expected"), SETTINGS)
def test_settings_change_the_rules_that_they_name_alone(
    settings: str, obj: Object, expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    assert actions(evaluated(settings, tmp_path, obj)) == expected


@pytest.mark.parametrize("level", ["", "Deny", "none", "true", "disabled"])
def test_a_label_that_is_no_level_changes_nothing(level: str) -> None:
    assert not verdict(BAD, namespace(enforcement=level)).allowed


def test_a_namespaces_label_caps_a_rule_and_never_raises_it() -> None:
    denying, warning = namespace(enforcement="deny"), namespace(enforcement="warn")
    assert actions(verdict(BAD, denying, rules={RULE: "warn"})) == [(RULE, "warn")]
    assert actions(verdict(vm(disk("x")), warning, rules={"claim-known": "deny"})) == [("claim-known", "warn")]


def test_the_label_of_another_namespace_changes_nothing() -> None:
    other = namespace(enforcement="off")
    assert not verdict(BAD, {**other, "metadata": {**other["metadata"], "name": "other"}}).allowed


@pytest.mark.parametrize("level", STRICTNESS)
@pytest.mark.parametrize("make", [vm, vmi], ids=["VirtualMachine", "VMI"])
def test_only_a_vm_that_can_migrate_is_patched_and_only_where_the_namespace_is_not_off(make: Any, level: str) -> None:
    assert bool(verdict(make(disk("good")), namespace(enforcement=level)).patch) is (level != "off")
    assert level == "deny" or verdict(make(disk("once")), namespace(enforcement=level)).patch == []


def test_with_the_mode_off_nothing_is_said_or_patched_but_which_vm_it_was(tmp_path: Path) -> None:
    found = evaluated("mode: off\n", tmp_path)
    assert (found.allowed, found.violations, found.warnings, found.patch) == (True, [], [], [])
    assert (found.kind, found.namespace, found.name) == ("VirtualMachine", "vms", "db")


class Unreachable(Snapshot):
    """A cluster that cannot say anything."""

    def list(self, resource: Resource[Any]) -> Any:
        """Fail."""
        raise Undecidable("out of reach")


def test_with_the_mode_off_no_cluster_is_asked() -> None:
    found = evaluate(BAD, Unreachable(), settings=Settings.parse({"mode": "off"}))
    assert (found.allowed, found.warnings) == (True, [])
    with pytest.raises(Undecidable):
        evaluate(BAD, Unreachable())
