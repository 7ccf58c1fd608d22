"""What a user reads: each cause stands alone, each warning fits."""

import re

import pytest

from tests.build import Object, host_disk, vm
from tests.policy.samples import NAMELESS, NASTY, OF_VOLUMES, SAMPLES, STRICT, breaking, verdict
from webhook import Verdict, Violation

RULE_NAMES = sorted(SAMPLES)
LONG = "x" * 253


def evaluated(sample: tuple[Object, tuple[Object, ...]], **rules: str) -> Verdict:
    return verdict(sample[0], *sample[1], final=True, rules={**STRICT.rules, **rules})


def warned(rule: str, name: str, claimed: str | None = None) -> str:
    """Return the warning about a rule that only warns, having checked that each warning fits."""
    found = evaluated(breaking(rule, name, claimed), **{rule: "warn"})
    assert all(len(line) <= 256 for line in found.warnings)
    (line,) = [line for line in found.warnings if line.endswith(f"[{rule}]")]
    return line


def the_violation(rule: str, name: str = "the-name", claimed: str | None = "the-claim") -> Violation:
    (found,) = evaluated(breaking(rule, name, claimed)).violations
    assert found.rule == rule
    return found


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_a_cause_is_one_line_of_what_why_remedy_and_rule(rule: str) -> None:
    found = the_violation(rule)
    what, _, why = found.message.partition("; ")
    assert what
    assert found.cause == f"{what}; {why}. {found.remedy}. [{rule}]"
    assert found.cause.splitlines() == [found.cause]
    assert "  " not in found.cause
    assert not [part for part in (found.message, found.remedy) if re.search(r"[.!?]$", part)]
    assert re.search(r"migrat|no other node|cannot start", why)
    assert found.remedy.split()[0] in {"Use", "Set", "Remove", "Name", "Put", "Create", "Correct", "Widen"}


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_a_cause_names_the_volume_and_its_pvc_or_the_device(rule: str) -> None:
    found = the_violation(rule)
    assert found.volume == ("the-name" if rule in OF_VOLUMES else None)
    assert ("the-name" in found.cause) is (rule not in NAMELESS)
    assert ('"the-claim"' in found.cause) is (rule in OF_VOLUMES and rule != "host-disk")


@pytest.mark.parametrize("rule", sorted(set(RULE_NAMES) - NAMELESS))
def test_whatever_is_in_a_name_cause_and_warning_stay_on_one_printable_line(rule: str) -> None:
    for character in NASTY.values():
        found = the_violation(rule, character, None)
        for line in (found.cause, found.evidence or "", warned(rule, character)):
            assert (line.isprintable(), line.isascii()) == (True, True), line


@pytest.mark.parametrize("length", [1, 63, 253, 5000])
@pytest.mark.parametrize("rule", RULE_NAMES)
def test_warnings_never_exceed_256_characters_and_end_with_the_rule(rule: str, length: int) -> None:
    assert warned(rule, "v" * length, "c" * length)


@pytest.mark.parametrize("rule", sorted(set(RULE_NAMES) - {"claim-known"}))
def test_a_warning_about_names_of_usual_length_has_at_most_120_characters(rule: str) -> None:
    assert len(warned(rule, "database-root", "database-root-a1b2c3")) <= 120


@pytest.mark.parametrize("rule", sorted(set(RULE_NAMES) - NAMELESS))
def test_neither_a_warning_nor_a_cause_cuts_a_name_that_kubernetes_allows(rule: str) -> None:
    assert any(LONG in line for line in evaluated(breaking(rule, LONG), **{rule: "warn"}).warnings)
    assert LONG in the_violation(rule, LONG, None).cause


@pytest.mark.parametrize("name", ["x" * 1_500_000, "word " * 300_000], ids=["one word", "many words"])
@pytest.mark.parametrize("rule", sorted(set(RULE_NAMES) - NAMELESS))
def test_a_cause_is_bounded_whatever_the_name(rule: str, name: str) -> None:
    found = the_violation(rule, name, None)
    assert max(len(found.cause), len(found.evidence or "")) < 1500


def test_many_warnings_are_counted_instead_of_listed() -> None:
    found = verdict(vm(*(host_disk(f"h{index}") for index in range(40))), mode="warn")
    assert len(found.warnings) == 17
    assert "24 more" in found.warnings[-1]
