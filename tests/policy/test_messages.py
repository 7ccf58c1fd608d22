"""What a user reads: each cause stands alone, each warning fits."""

import re

import pytest

from tests.build import Object, host_disk, vm
from tests.policy.samples import NAMELESS, OF_VOLUMES, SAMPLES, STRICT, breaking, verdict
from webhook import Verdict, Violation

RULE_NAMES = sorted(SAMPLES)
LONG = "x" * 253


def evaluated(sample: tuple[Object, tuple[Object, ...]], **rules: str) -> Verdict:
    return verdict(sample[0], *sample[1], final=True, rules={**STRICT.rules, **rules})


def warned(rule: str, name: str, claimed: str | None = None) -> list[str]:
    """Return the warnings about a rule that only warns, having checked that each fits and one names the rule."""
    found = evaluated(breaking(rule, name, claimed), **{rule: "warn"}).warnings
    assert all(len(line) <= 256 for line in found)
    assert [line.endswith(f"[{rule}]") for line in found].count(True) == 1
    return found


def the_violation(rule: str, name: str = "the-name", claimed: str | None = "the-claim") -> Violation:
    (found,) = evaluated(breaking(rule, name, claimed)).violations
    assert found.rule == rule
    return found


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_a_cause_is_one_line_of_what_why_remedy_and_rule_that_names_the_volume_and_its_pvc_or_the_device(
    rule: str,
) -> None:
    found = the_violation(rule)
    what, _, why = found.message.partition("; ")
    assert what
    assert found.cause == f"{what}; {why}. {found.remedy}. [{rule}]"
    assert found.cause.splitlines() == [found.cause]
    assert "  " not in found.cause
    assert not [part for part in (found.message, found.remedy) if re.search(r"[.!?]$", part)]
    assert re.search(r"migrat|no other node|cannot start", why)
    assert found.remedy.split()[0] in {"Use", "Set", "Remove", "Name", "Put", "Create", "Correct", "Widen"}
    assert ("the-name" in found.cause) is (rule not in NAMELESS)
    assert ('"the-claim"' in found.cause) is (rule in OF_VOLUMES and rule != "host-disk")


@pytest.mark.parametrize("rule", sorted(set(RULE_NAMES) - {"claim-known"}))
def test_a_warning_about_names_of_usual_length_has_at_most_120_characters(rule: str) -> None:
    assert max(map(len, warned(rule, "database-root", "database-root-a1b2c3"))) <= 120


@pytest.mark.parametrize("rule", sorted(set(RULE_NAMES) - NAMELESS))
def test_neither_a_warning_nor_a_cause_cuts_a_name_that_kubernetes_allows(rule: str) -> None:
    assert any(LONG in line for line in warned(rule, LONG))
    assert LONG in the_violation(rule, LONG, None).cause


def test_many_warnings_are_counted_instead_of_listed() -> None:
    found = verdict(vm(*(host_disk(f"h{index}") for index in range(40))), mode="warn")
    assert len(found.warnings) == 17
    assert "24 more" in found.warnings[-1]
