"""What a rule does, and the global mode and the namespace's label that cap it."""

import itertools
from typing import Any

import pytest

from tests.build import Object, disk, vm, vmi
from tests.build_paths import namespace
from tests.policy.samples import table, verdict
from webhook import Settings, evaluate
from webhook.cluster import Snapshot, Undecidable
from webhook.cluster.resources import Resource

STRICTNESS = ["off", "warn", "deny"]
RULE = "shared-access"
BAD = vm(disk("once"))


def actions(vm_object: Object, *objects: Object, **settings: Any) -> list[tuple[str, str]]:
    return [(found.rule, found.action) for found in verdict(vm_object, *objects, **settings).violations]


@pytest.mark.parametrize(("mode", "action"), list(itertools.product(STRICTNESS, STRICTNESS)))
def test_a_rule_does_the_laxer_of_its_action_and_the_mode_and_the_namespaces_label_caps_it_too(
    mode: str, action: str
) -> None:
    done = min(mode, action, key=STRICTNESS.index)
    for objects, rules in (([], {RULE: action}), ([namespace(enforcement=action)], {})):
        found = verdict(BAD, *objects, mode=mode, rules=rules)
        assert actions(BAD, *objects, mode=mode, rules=rules) == ([] if done == "off" else [(RULE, done)])
        assert found.allowed is (done != "deny")
        assert any(RULE in line for line in found.warnings) is (done == "warn")


LEVELS = {level: namespace(enforcement=level) for level in ("warn", "deny", "", "Deny", "none")}
ELSEWHERE = {**LEVELS["warn"], "metadata": {**LEVELS["warn"]["metadata"], "name": "other"}}
UNKNOWN = vm(disk("nowhere"))
CAPS: list[tuple[str, Object, list[Object], Object, tuple[str, str]]] = [
    ("a mode raises no rule", UNKNOWN, [], {"mode": "deny"}, ("claim-known", "warn")),
    ("a label raises no rule", BAD, [LEVELS["deny"]], {"rules": {RULE: "warn"}}, (RULE, "warn")),
    ("a label of another namespace", BAD, [ELSEWHERE], {}, (RULE, "deny")),
    *((f"the label {level!r}", BAD, [LEVELS[level]], {}, (RULE, "deny")) for level in list(LEVELS)[2:]),
    ("another rule", vm(disk("san-fs-once")), [], {"rules": {RULE: "off"}}, ("san-block", "deny")),
    ("no such rule", BAD, [], {"rules": {"no-such-rule": "off"}}, (RULE, "deny")),
]


@table(CAPS, "obj objects settings expected")
def test_what_does_not_name_a_rule_or_a_level_changes_nothing_and_nothing_raises_a_rule(
    obj: Object, objects: list[Object], settings: Object, expected: tuple[str, str]
) -> None:
    assert actions(obj, *objects, **settings) == [expected]


@pytest.mark.parametrize("level", STRICTNESS)
@pytest.mark.parametrize("make", [vm, vmi], ids=["VirtualMachine", "VMI"])
def test_only_a_vm_that_can_migrate_is_patched_and_only_where_the_namespace_is_not_off(make: Any, level: str) -> None:
    assert bool(verdict(make(disk("good")), namespace(enforcement=level)).patch) is (level != "off")
    assert level == "deny" or verdict(make(disk("once")), namespace(enforcement=level)).patch == []


class Unreachable(Snapshot):
    """A cluster that cannot say anything."""

    def get(self, resource: Resource[Any], name: str, namespace: str = "") -> Any:
        """Fail."""
        raise Undecidable("out of reach")


def test_with_the_mode_off_no_cluster_is_asked_and_nothing_is_said_or_patched_but_which_vm_it_was() -> None:
    found = evaluate(BAD, Unreachable(), settings=Settings.parse({"mode": "off"}))
    assert (found.allowed, found.violations, found.warnings, found.patch) == (True, [], [], [])
    assert (found.kind, found.namespace, found.name) == ("VirtualMachine", "vms", "db")
    with pytest.raises(Undecidable):
        evaluate(BAD, Unreachable())
