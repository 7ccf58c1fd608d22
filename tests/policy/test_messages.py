"""What a user reads: each cause stands alone, each warning fits, each remedy helps."""

import copy
import re

import pytest

from tests.build import (
    CLUSTER,
    RWO,
    RWX,
    Object,
    claim,
    data_volume_disk,
    disk,
    host_disk,
    templated_vm,
    vm,
    vmi,
)
from webhook import Settings, Verdict, Violation, evaluate
from webhook.policy.rules import RULES

STRICT = Settings.parse({"rules": {rule.name: "deny" for rule in RULES}})
ON_SAN = {"storageClassName": "san", "accessModes": [RWX], "volumeMode": "Filesystem"}
SAMPLES = {
    "shared-access": vm(disk("once")),
    "san-block": vm(disk("san-fs")),
    "host-disk": vm(host_disk("h")),
    "claim-known": vm(disk("nowhere")),
    "eviction-strategy": vm(disk("good"), evictionStrategy="None"),
}
LONG = "x" * 253
NASTY = {
    "newline": "a\nb",
    "carriage return": "a\rb",
    "tab": "a\tb",
    "escape": "a\x1b[31mb",
    "null": "a\x00b",
    "quotes": 'a"b\\',
    "spaces": "a  b c",
}


def judged(machine: Object, *objects: Object, settings: Settings = STRICT, final: bool = True) -> Verdict:
    return evaluate(machine, [*CLUSTER, *objects], settings=settings, final=final)


def named(rule: str, volume: str, claimed: str | None = None) -> tuple[Object, tuple[Object, ...]]:
    """Return a machine whose disk is named so and breaks the rule, and the claims that it needs for that."""
    name = claimed or volume
    return {
        "shared-access": (vm(disk(name, volume)), (claim(name, RWO),)),
        "san-block": (vm(disk(name, volume)), (claim(name, RWX, storage_class="san"),)),
        "host-disk": (vm({"name": volume, "hostDisk": {"path": name}}), ()),
        "claim-known": (vm(data_volume_disk(name, volume)), ()),
        "eviction-strategy": (vm(evictionStrategy=volume), ()),
    }[rule]


def the_violation(rule: str, verdict: Verdict) -> Violation:
    (found,) = verdict.violations
    assert found.rule == rule
    return found


def test_every_rule_has_a_sample_here() -> None:
    assert sorted(SAMPLES) == [rule.name for rule in RULES]


@pytest.mark.parametrize("rule", SAMPLES)
def test_a_cause_is_one_line_of_what_why_remedy_and_rule(rule: str) -> None:
    found = the_violation(rule, judged(SAMPLES[rule]))
    what, _, why = found.message.partition("; ")
    assert what
    assert why
    assert found.cause == f"{what}; {why}. {found.remedy}. [{rule}]"
    assert found.cause.splitlines() == [found.cause]


@pytest.mark.parametrize("rule", SAMPLES)
def test_the_parts_of_a_cause_have_no_stop_of_their_own(rule: str) -> None:
    found = the_violation(rule, judged(SAMPLES[rule]))
    assert not re.search(r"[.!?]$", found.message)
    assert not re.search(r"[.!?]$", found.remedy)
    assert "  " not in found.cause


@pytest.mark.parametrize("rule", sorted(set(SAMPLES) - {"eviction-strategy"}))
def test_a_cause_names_the_volume(rule: str) -> None:
    machine, objects = named(rule, "the-volume", "the-claim")
    assert '"the-volume"' in the_violation(rule, judged(machine, *objects)).cause


@pytest.mark.parametrize("character", NASTY.values(), ids=NASTY)
@pytest.mark.parametrize("rule", SAMPLES)
def test_whatever_is_in_a_name_cause_and_warning_stay_on_one_printable_line(rule: str, character: str) -> None:
    machine, objects = named(rule, character)
    verdict = judged(machine, *objects, settings=Settings.parse({"rules": {rule: "warn"}}))
    found = the_violation(rule, verdict)
    for line in (found.cause, found.evidence or "", *verdict.warnings):
        assert line.isprintable()


@pytest.mark.parametrize("length", [1, 24, 63, 253, 5000])
@pytest.mark.parametrize("rule", SAMPLES)
def test_a_warning_never_exceeds_256_characters_and_always_ends_with_the_rule(rule: str, length: int) -> None:
    machine, objects = named(rule, "v" * length, "c" * length)
    verdict = judged(machine, *objects, settings=Settings.parse({"rules": {rule: "warn"}}))
    (line,) = [line for line in verdict.warnings if line.endswith(f" [{rule}]")][:1]
    assert len(line) <= 256


@pytest.mark.parametrize("rule", ["shared-access", "san-block", "host-disk"])
def test_a_warning_about_names_of_usual_length_aims_at_120_characters(rule: str) -> None:
    machine, objects = named(rule, "database-primary-root", "database-primary-root-a1b2c3")
    verdict = judged(machine, *objects, settings=Settings.parse({"mode": "warn"}))
    assert [len(line) <= 120 for line in verdict.warnings if rule in line] == [True]


def test_a_warning_of_many_words_is_cut_at_256() -> None:
    machine, objects = named("shared-access", "ab " * 200)
    (line,) = judged(machine, *objects, settings=Settings.parse({"mode": "warn"})).warnings[:1]
    assert len(line) == 256
    assert line.endswith(" [shared-access]")


def test_a_long_name_is_shortened_in_the_middle() -> None:
    name = "begin-" + "x" * 200 + "-end"
    machine, objects = named("shared-access", "v", name)
    (line,) = judged(machine, *objects, settings=Settings.parse({"mode": "warn"})).warnings
    assert re.search(r'claim "begin-x*\.\.\.x*-end" is', line)


def test_a_cause_is_never_shortened() -> None:
    machine, objects = named("shared-access", LONG)
    assert f'"{LONG}"' in the_violation("shared-access", judged(machine, *objects)).cause


def test_many_warnings_are_counted_instead_of_listed() -> None:
    verdict = judged(vm(*(host_disk(f"h{index}") for index in range(40))), settings=Settings.parse({"mode": "warn"}))
    assert len(verdict.warnings) == 17
    assert "24 more" in verdict.warnings[-1]


def corrected(machine: Object, remedy: str) -> tuple[Object, list[Object]]:
    """Apply the words of a remedy to the first disk: into its template, or as a new claim beside it."""
    asked: Object = {}
    if found := re.search(r"accessModes \[(\w+)\]", remedy):
        asked["accessModes"] = [found[1]]
    if found := re.search(r"volumeMode (\w+)", remedy):
        asked["volumeMode"] = found[1]
    assert asked
    after = copy.deepcopy(machine)
    if found := re.search(r"spec\.dataVolumeTemplates\[0\]\.spec\.(\w+)", remedy):
        after["spec"]["dataVolumeTemplates"][0]["spec"][found[1]].update(asked)
        return after, []
    spec = after["spec"]["template"]["spec"] if after["kind"] == "VirtualMachine" else after["spec"]
    spec["volumes"][0] = disk("corrected", spec["volumes"][0]["name"])
    made = claim("corrected", RWO, storage_class="san" if "volumeMode" in asked else "nas")
    made["spec"].update(asked)
    return after, [made]


CORRECTABLE = {
    "claim of one node": vm(disk("once")),
    "claim of one node of an instance": vmi(disk("once")),
    "claim of one node in Block mode": vm(disk("once-block")),
    "filesystem on SAN": vm(disk("san-fs")),
    "filesystem of one node on SAN": vm(disk("san-fs-once")),
    "hostDisk": vm(host_disk("h")),
    "template of one node": templated_vm("d", spec={"storage": {"storageClassName": "nas", "accessModes": [RWO]}}),
    "template of one node on SAN": templated_vm(
        "d", spec={"storage": {"storageClassName": "san", "accessModes": [RWO]}}
    ),
    "template of a filesystem on SAN": templated_vm("d", spec={"storage": ON_SAN}),
    "pvc part of one node on SAN": templated_vm("d", spec={"pvc": {"storageClassName": "san", "accessModes": [RWO]}}),
    "pvc part of one node on NAS": templated_vm("d", spec={"pvc": {"storageClassName": "nas", "accessModes": [RWO]}}),
}


@pytest.mark.parametrize("machine", CORRECTABLE.values(), ids=CORRECTABLE)
def test_each_remedy_applied_to_the_letter_admits_the_machine(machine: Object) -> None:
    violations = judged(machine).violations
    assert violations
    for violation in violations:
        after, objects = corrected(machine, violation.remedy)
        assert judged(after, *objects).violations == [], violation.remedy


def test_the_other_remedy_of_a_filesystem_on_san_admits_it() -> None:
    machine = templated_vm("d", spec={"storage": ON_SAN})
    assert "StorageClass on ontap-nas" in judged(machine).violations[0].remedy
    assert judged(templated_vm("d", spec={"storage": {**ON_SAN, "storageClassName": "nas"}})).violations == []


def test_the_other_remedy_of_a_host_disk_admits_it() -> None:
    assert "shared: true" in judged(vm(host_disk("h"))).violations[0].remedy
    assert judged(vm(host_disk("h", shared=True))).violations == []


def test_the_remedy_of_a_missing_claim_admits_the_machine() -> None:
    machine = vm(disk("nowhere"))
    assert "Create the claim" in judged(machine).violations[0].remedy
    assert judged(machine, claim("nowhere", RWX)).violations == []


@pytest.mark.parametrize("fields", [{}, {"evictionStrategy": "LiveMigrate"}], ids=["removed", "set"])
def test_both_remedies_of_a_strategy_admit_the_machine(fields: Object) -> None:
    remedy = judged(vm(disk("good"), evictionStrategy="None")).violations[0].remedy
    assert "Remove the field" in remedy
    assert "LiveMigrate" in remedy
    assert judged(vm(disk("good"), **fields)).violations == []
