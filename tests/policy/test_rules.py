"""The rules as a whole: nobody lists them by hand."""

from pathlib import Path

import pytest

from webhook.policy import rules
from webhook.policy.rules import RULES

CONTRACT = [
    # rule, KubeVirt's reason, default, whether a VM that violates it cannot migrate
    ("claim-known", None, "warn", False),
    ("ephemeral-claim", None, "warn", False),
    ("eviction-strategy", None, "deny", False),
    ("host-devices", "HostDeviceNotLiveMigratable", "deny", True),
    ("host-disk", "DisksNotLiveMigratable", "deny", True),
    ("hyperv-passthrough", "HypervPassthroughNotLiveMigratable", "deny", True),
    ("launch-security", "SEVNotLiveMigratable, TDXNotLiveMigratable, SecureExecutionNotLiveMigratable", "deny", True),
    ("migration-ports", None, "warn", False),
    ("node-pinned", None, "warn", False),
    ("persistent-reservation", "PersistentReservationNotLiveMigratable", "deny", True),
    ("pod-network", "InterfaceNotLiveMigratable", "deny", True),
    ("san-block", None, "deny", True),
    ("shared-access", "DisksNotLiveMigratable", "deny", True),
    ("smb-share", None, "warn", False),
    ("tsc-frequency", "NoTSCFrequencyNotLiveMigratable", "deny", True),
]
FOLDER = Path(rules.__file__).parent


def test_the_rules_are_those_of_the_contract_and_the_one_about_the_strategy_is_the_last() -> None:
    assert [(rule.name, rule.reason, rule.default, rule.makes_unmigratable) for rule in RULES] == CONTRACT
    assert [rule.name for rule in RULES if rule.evaluated_last] == ["eviction-strategy"]


def test_every_module_with_a_rule_is_named_like_it() -> None:
    with_rule = (path for path in FOLDER.glob("*.py") if "\nRULE = " in path.read_text(encoding="utf-8"))
    assert {rule.name for rule in RULES} == {path.stem.replace("_", "-") for path in with_rule}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_names_its_source_and_what_it_denies_and_has_a_test_of_its_own(rule: rules.Rule) -> None:
    is_versioned = any(character.isdigit() for character in rule.source)
    assert is_versioned or "user guide" in rule.source, "a source has a version where it is versioned"
    assert rule.denies
    assert "\n" not in rule.denies + rule.source
    assert (Path(__file__).parent / f"test_{rule.name.replace('-', '_')}.py").is_file()
