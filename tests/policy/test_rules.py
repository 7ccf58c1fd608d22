"""The rules as a whole: nobody lists them by hand."""

from pathlib import Path

import pytest

from webhook.policy import rules
from webhook.policy.rules import RULES

DEFAULTS = [
    # rule, KubeVirt's reason, default
    ("claim-known", None, "warn"),
    ("ephemeral-claim", None, "warn"),
    ("eviction-strategy", None, "deny"),
    ("host-devices", "HostDeviceNotLiveMigratable", "deny"),
    ("host-disk", "DisksNotLiveMigratable", "deny"),
    ("hyperv-passthrough", "HypervPassthroughNotLiveMigratable", "deny"),
    (
        "launch-security",
        "SEVNotLiveMigratable, TDXNotLiveMigratable, SecureExecutionNotLiveMigratable",
        "deny",
    ),
    ("migration-ports", None, "warn"),
    ("node-pinned", None, "warn"),
    ("persistent-reservation", "PersistentReservationNotLiveMigratable", "deny"),
    ("pod-network", "InterfaceNotLiveMigratable", "deny"),
    ("san-block", None, "deny"),
    ("shared-access", "DisksNotLiveMigratable", "deny"),
    ("smb-share", None, "warn"),
    ("tsc-frequency", "NoTSCFrequencyNotLiveMigratable", "deny"),
]
UNMIGRATABLE = {
    "host-devices",
    "host-disk",
    "hyperv-passthrough",
    "launch-security",
    "persistent-reservation",
    "pod-network",
    "san-block",
    "shared-access",
    "tsc-frequency",
}
FOLDER = Path(rules.__file__).parent


@pytest.mark.parametrize(("name", "reason", "default"), DEFAULTS, ids=[row[0] for row in DEFAULTS])
def test_a_rule_has_the_reason_and_the_action_of_the_contract(name: str, reason: str | None, default: str) -> None:
    (found,) = [rule for rule in RULES if rule.name == name]
    assert (found.reason, found.default) == (reason, default)


def test_the_rules_are_those_of_the_contract() -> None:
    assert [rule.name for rule in RULES] == [row[0] for row in DEFAULTS]


def test_every_module_with_a_rule_is_named_like_it() -> None:
    with_rule = (path for path in FOLDER.glob("*.py") if "\nRULE = " in path.read_text(encoding="utf-8"))
    assert {rule.name for rule in RULES} == {path.stem.replace("_", "-") for path in with_rule}


def test_names_are_unique_and_in_order() -> None:
    names = [rule.name for rule in RULES]
    assert names == sorted(set(names))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_names_its_source_and_what_it_denies(rule: rules.Rule) -> None:
    is_versioned = any(character.isdigit() for character in rule.source)
    assert is_versioned or "user guide" in rule.source, "a source has a version where it is versioned"
    assert rule.denies
    assert "\n" not in rule.denies + rule.source


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_has_a_test_of_its_own(rule: rules.Rule) -> None:
    assert (Path(__file__).parent / f"test_{rule.name.replace('-', '_')}.py").is_file()


def test_the_strategy_is_evaluated_after_every_rule_that_finds_a_vm_unmigratable() -> None:
    last = {rule.name for rule in RULES if rule.evaluated_last}
    unmigratable = {rule.name for rule in RULES if rule.makes_unmigratable}
    assert last == {"eviction-strategy"}
    assert last.isdisjoint(unmigratable)
    assert unmigratable == UNMIGRATABLE
