"""What a user reads: each cause stands alone, each warning fits."""

import re

import pytest

from tests.build import CLUSTER, Object, host_disk, vm
from tests.policy.samples import NAMELESS, NASTY, OF_VOLUMES, SAMPLES, STRICT, breaking
from webhook import Settings, Verdict, Violation, evaluate
from webhook.policy.rules import RULES

RULE_NAMES = sorted(SAMPLES)
LONG = "x" * 253


def evaluated(sample: tuple[Object, tuple[Object, ...]], settings: Settings = STRICT) -> Verdict:
    vm_object, objects = sample
    return evaluate(vm_object, [*CLUSTER, *objects], settings=settings, final=True)


def warned(rule: str, sample: tuple[Object, tuple[Object, ...]]) -> list[str]:
    """Return the warnings about a rule that only warns."""
    found = evaluated(sample, Settings.parse({"rules": {rule: "warn"}}))
    return [line for line in found.warnings if line.endswith(f"[{rule}]")]


def the_violation(rule: str, verdict: Verdict) -> Violation:
    (found,) = verdict.violations
    assert found.rule == rule
    return found


def test_every_rule_has_a_sample() -> None:
    assert [rule.name for rule in RULES] == RULE_NAMES


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_a_cause_is_one_line_of_what_why_remedy_and_rule(rule: str) -> None:
    found = the_violation(rule, evaluated(SAMPLES[rule]))
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
    found = the_violation(rule, evaluated(SAMPLES[rule]))
    assert found.volume == ("the-name" if rule in OF_VOLUMES else None)
    assert ("the-name" in found.cause) is (rule not in NAMELESS)
    assert ('"the-claim"' in found.cause) is (rule in OF_VOLUMES and rule != "host-disk")


@pytest.mark.parametrize("rule", sorted(set(RULE_NAMES) - NAMELESS))
def test_whatever_is_in_a_name_cause_and_warning_stay_on_one_printable_line(rule: str) -> None:
    for character in NASTY.values():
        found = the_violation(rule, evaluated(breaking(rule, character)))
        (warning,) = warned(rule, breaking(rule, character))
        for line in (found.cause, found.evidence or "", warning):
            assert line.isprintable(), line
            assert line.isascii(), line


@pytest.mark.parametrize("length", [1, 63, 253, 5000])
@pytest.mark.parametrize("rule", RULE_NAMES)
def test_warnings_never_exceed_256_characters_and_end_with_the_rule(rule: str, length: int) -> None:
    found = evaluated(breaking(rule, "v" * length, "c" * length), Settings.parse({"rules": {rule: "warn"}}))
    assert all(len(line) <= 256 for line in found.warnings)
    assert len([line for line in found.warnings if line.endswith(f"[{rule}]")]) == 1


@pytest.mark.parametrize("rule", sorted(set(RULE_NAMES) - {"claim-known"}))
def test_a_warning_about_names_of_usual_length_has_at_most_120_characters(rule: str) -> None:
    (line,) = warned(rule, breaking(rule, "database-root", "database-root-a1b2c3"))
    assert len(line) <= 120


@pytest.mark.parametrize("rule", sorted(set(RULE_NAMES) - NAMELESS))
def test_neither_a_warning_nor_a_cause_cuts_a_name_that_kubernetes_allows(rule: str) -> None:
    found = evaluated(breaking(rule, LONG), Settings.parse({"rules": {rule: "warn"}}))
    assert any(LONG in line for line in found.warnings)
    assert LONG in the_violation(rule, evaluated(breaking(rule, LONG))).cause


@pytest.mark.parametrize("name", ["x" * 1_500_000, "word " * 300_000], ids=["one word", "many words"])
@pytest.mark.parametrize("rule", sorted(set(RULE_NAMES) - NAMELESS))
def test_a_cause_is_bounded_whatever_the_name(rule: str, name: str) -> None:
    found = the_violation(rule, evaluated(breaking(rule, name)))
    assert len(found.cause) < 1500
    assert len(found.evidence or "") < 1500


def test_many_warnings_are_counted_instead_of_listed() -> None:
    vm_object = vm(*(host_disk(f"h{index}") for index in range(40)))
    found = evaluate(vm_object, CLUSTER, settings=Settings.parse({"mode": "warn"}))
    assert len(found.warnings) == 17
    assert "24 more" in found.warnings[-1]
