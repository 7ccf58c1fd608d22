"""Exemptions: labels that waive a rule, for a reason, until a day."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.build import CLUSTER, RWO, Object, claim, disk, host_disk, kubevirt, vm, vmi
from tests.build_paths import KUBEVIRT, REASON, exempt, namespace, pool, replica_set, tagged
from webhook import Settings, Verdict, evaluate

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
BAD = vm(disk("once"))


def evaluated(
    obj: Object, *objects: Object, old: Object | None = None, now: datetime = NOW, **exemptions: Any
) -> Verdict:
    return evaluate(
        obj,
        [KUBEVIRT, *CLUSTER, claim("once-too", RWO), *objects],
        old=old,
        settings=Settings.parse({"exemptions": exemptions}),
        operation="UPDATE" if old else "CREATE",
        now=now,
    )


def about_exemptions(verdict: Verdict) -> list[str]:
    return [line for line in verdict.warnings if line.endswith("[exemption]")]


COUNTS = [
    ("for ever", "true"),
    ("until today, inclusive", "2026-06-30"),
    ("until tomorrow", "2026-07-01"),
    ("as far ahead as is allowed", "2026-09-28"),
]
COUNTS_NOT = [
    ("ended yesterday", "2026-06-29", "ended on 2026-06-29"),
    ("a day further than is allowed", "2026-09-29", "more than 90 days ahead"),
    ("false", "false", '"false" is neither'),
    ("True", "True", '"True" is neither'),
    ("a word", "tomorrow", '"tomorrow" is neither'),
    ("nothing", "", '"" is neither'),
    ("no such day", "2026-02-30", '"2026-02-30" is neither'),
    ("a moment", "2026-07-01T00.00", "is neither"),
]


@pytest.mark.parametrize("value", [row[1] for row in COUNTS], ids=[row[0] for row in COUNTS])
def test_a_label_waives_its_rule(value: str) -> None:
    found = evaluated(exempt(BAD, rule="shared-access", value=value))
    assert (found.allowed, [violation.exempt for violation in found.violations]) == (True, [True])


@pytest.mark.parametrize(("value", "why"), [row[1:] for row in COUNTS_NOT], ids=[row[0] for row in COUNTS_NOT])
def test_a_label_that_does_not_count_waives_nothing_and_says_why(value: str, why: str) -> None:
    found = evaluated(exempt(BAD, rule="shared-access", value=value))
    (line,) = about_exemptions(found)
    assert (found.allowed, [violation.exempt for violation in found.violations]) == (False, [False])
    assert why in line
    assert "shared-access on the VM" in line


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        (datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 7, 1, tzinfo=UTC), False),
        (datetime(2026, 6, 30, 19, tzinfo=timezone(timedelta(hours=-5))), False),
        (datetime(2026, 7, 1, 13, 59, tzinfo=timezone(timedelta(hours=14))), True),
    ],
    ids=["last second", "midnight", "June 30 in New York, July 1 in UTC", "July 1 on Kiribati, June 30 in UTC"],
)
def test_the_last_day_ends_with_the_day_in_utc(now: datetime, allowed: bool) -> None:
    assert evaluated(exempt(BAD, value="2026-06-30"), now=now).allowed is allowed


def test_an_exemption_ends_by_the_clock_alone() -> None:
    vm_object = exempt(BAD, value="2026-06-30")
    assert [evaluated(vm_object, now=NOW + timedelta(days=days)).allowed for days in (0, 1)] == [True, False]


def test_the_setting_says_how_far_ahead_the_last_day_may_lie() -> None:
    vm_object = exempt(BAD, value="2026-07-02")
    assert [evaluated(vm_object, maxDays=days).allowed for days in (1, 2)] == [False, True]


@pytest.mark.parametrize("reason", [{}, {"migratability.io/exempt-reason": ""}, {"other": "x"}])
def test_a_label_without_a_reason_does_not_count(reason: Object) -> None:
    found = evaluated(exempt(BAD, reason=reason))
    assert not found.allowed
    assert "migratability.io/exempt-reason" in about_exemptions(found)[0]


def test_a_label_without_a_reason_counts_where_the_setting_asks_for_none() -> None:
    assert evaluated(exempt(BAD, reason={}), requireReason=False).allowed


def test_a_label_waives_no_other_rule() -> None:
    found = evaluated(exempt(vm(disk("once"), host_disk("h")), rule="shared-access"))
    assert {violation.rule: violation.exempt for violation in found.violations} == {
        "shared-access": True,
        "host-disk": False,
    }
    assert not found.allowed


def test_all_waives_every_rule() -> None:
    found = evaluated(exempt(vm(disk("once"), host_disk("h"), disk("san-fs"))))
    assert found.allowed
    assert {violation.exempt for violation in found.violations} == {True}


def test_an_exemption_covers_volumes_that_come_later() -> None:
    vm_object = exempt(BAD, rule="shared-access")
    assert evaluated(exempt(vm(disk("once"), disk("once-too")), rule="shared-access"), old=vm_object).allowed


def test_a_namespaces_label_exempts_every_vm_in_it() -> None:
    assert evaluated(BAD, namespace("old storage", shared_access="true")).allowed


def test_a_namespaces_label_needs_its_own_reason() -> None:
    vm_object = tagged(BAD, annotations=REASON)
    found = evaluated(vm_object, namespace(shared_access="true"))
    assert not found.allowed
    assert "its namespace" in about_exemptions(found)[0]


def test_a_label_of_another_namespace_exempts_nothing() -> None:
    other = namespace("old storage", all="true")
    assert not evaluated(BAD, {**other, "metadata": {**other["metadata"], "name": "other"}}).allowed


def test_the_namespaces_exemption_counts_where_the_vms_has_ended() -> None:
    vm_object = exempt(BAD, rule="shared-access", value="2026-01-01")
    assert evaluated(vm_object, namespace("old storage", shared_access="true")).allowed


@pytest.mark.parametrize(
    ("obj", "path"),
    [
        (BAD, ("spec", "template")),
        (replica_set(disk("once")), ("spec", "template")),
        (pool(disk("once")), ("spec", "virtualMachineTemplate")),
        (pool(disk("once")), ("spec", "virtualMachineTemplate", "spec", "template")),
    ],
    ids=["VirtualMachine", "ReplicaSet", "Pool's VM", "Pool's VMI"],
)
def test_a_label_in_a_template_exempts_nothing(obj: Object, path: tuple[str, ...]) -> None:
    assert not evaluated(exempt(obj, *path)).allowed


@pytest.mark.parametrize(
    "obj", [vmi(disk("once")), replica_set(disk("once")), pool(disk("once"))], ids=lambda o: o["kind"]
)
def test_every_kind_of_vm_can_be_exempt(obj: Object) -> None:
    assert evaluated(exempt(obj)).allowed


@pytest.mark.parametrize(
    "label", ["exempt.migratability.io", "migratability.io/exempt", "xexempt.migratability.io/all"]
)
def test_a_label_that_only_looks_like_ours_exempts_nothing(label: str) -> None:
    assert not evaluated(tagged(BAD, labels={label: "true"}, annotations=REASON)).allowed


def test_edits_of_a_vm_whose_exemption_has_ended_pass() -> None:
    ended = exempt(BAD, value="2026-01-01")
    found = evaluated(exempt(vm(disk("once"), hostname="x"), value="2026-01-01"), old=ended)
    assert found.allowed
    assert [violation.preexisting for violation in found.violations] == [True]
    assert about_exemptions(found) == ["exemption from all on the VM ended on 2026-01-01 [exemption]"]


def test_a_new_violation_of_a_vm_whose_exemption_has_ended_is_denied() -> None:
    ended = exempt(BAD, value="2026-01-01")
    found = evaluated(exempt(vm(disk("once"), disk("once-too")), value="2026-01-01"), old=ended)
    assert not found.allowed
    assert {violation.volume: violation.preexisting for violation in found.violations} == {
        "once": True,
        "once-too": False,
    }


@pytest.mark.parametrize("make", [vm, vmi, replica_set, pool], ids=lambda make: make.__name__)
def test_an_exempt_vm_that_cannot_migrate_never_gets_live_migrate(make: Any) -> None:
    assert evaluated(exempt(make(disk("once")))).patch == []


def test_an_exempt_vmi_is_kept_from_the_clusters_default_that_would_block_a_drain() -> None:
    default = kubevirt(network={"defaultNetworkInterface": "masquerade"}, evictionStrategy="LiveMigrate")
    found = evaluate(exempt(vmi(disk("once"))), [*CLUSTER, default], now=NOW)
    assert [operation["value"] for operation in found.patch] == ["LiveMigrateIfPossible"]


def test_an_exempt_vm_that_can_migrate_gets_live_migrate() -> None:
    found = evaluated(exempt(vm(disk("good"))))
    assert [operation["value"] for operation in found.patch] == ["LiveMigrate"]


def test_an_explicit_strategy_of_an_exempt_vm_is_left_alone() -> None:
    found = evaluated(exempt(vm(disk("once"), evictionStrategy="None")))
    assert (found.allowed, found.patch) == (True, [])


def test_offline_a_used_exemption_is_warned_about() -> None:
    (line,) = [line for line in evaluated(exempt(BAD)).warnings if "offline" in line]
    assert "was not checked" in line


def test_offline_an_exemption_that_nothing_needs_is_not_warned_about() -> None:
    assert not any("offline" in line for line in evaluated(exempt(vm(disk("good")))).warnings)


def test_a_verdict_tells_the_exemption_with_its_day_and_reason() -> None:
    found = evaluated(exempt(BAD, rule="shared-access", value="2026-07-31"))
    (violation,) = found.violations
    assert found.exemption_of(violation) == "shared-access until 2026-07-31: moves to NFS in July"
