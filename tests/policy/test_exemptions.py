"""Exemptions: labels that waive a rule, for a reason, until a day."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.build import CLUSTER, RWO, Object, claim, disk, host_disk, kubevirt, vm, vmi
from tests.build_paths import REASON, exempt, namespace, pool, replica_set, tagged
from tests.policy.samples import table
from webhook import Settings, Verdict, evaluate
from webhook.cluster import Snapshot
from webhook.engine import Question, answer_start

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
BAD = vm(disk("once"))
ENDED = "2026-01-01"


def evaluated(
    obj: Object, *objects: Object, old: Object | None = None, now: datetime = NOW, **exemptions: Any
) -> Verdict:
    settings, operation = Settings.parse({"exemptions": exemptions}), "UPDATE" if old else "CREATE"
    return evaluate(obj, [*CLUSTER, *objects], old=old, settings=settings, operation=operation, now=now)


def about_exemptions(verdict: Verdict) -> list[str]:
    return [line for line in verdict.warnings if line.endswith("[exemption]")]


@pytest.mark.parametrize("value", ["true", "2026-06-30", "2026-09-28"])
def test_a_label_waives_its_rule_until_the_last_day_inclusive(value: str) -> None:
    found = evaluated(exempt(BAD, rule="shared-access", value=value))
    assert (found.allowed, [violation.exempt for violation in found.violations]) == (True, [True])


NEITHER = ["false", "True", "tomorrow", "", "2026-02-30", "2026-07-01T00.00"]
INVALID = [
    ("2026-06-29", "ended on 2026-06-29"),
    ("2026-09-29", "more than 90 days ahead"),
    *((value, f'"{value}" is neither') for value in NEITHER),
]


@pytest.mark.parametrize(("value", "why"), INVALID)
def test_a_label_that_does_not_count_waives_nothing_and_says_why(value: str, why: str) -> None:
    found = evaluated(exempt(BAD, rule="shared-access", value=value))
    (line,) = about_exemptions(found)
    assert (found.allowed, [violation.exempt for violation in found.violations]) == (False, [False])
    assert why in line
    assert "shared-access on the VM" in line


MOMENTS = [
    ("June 30 in New York, July 1 in UTC", datetime(2026, 6, 30, 19, tzinfo=timezone(timedelta(hours=-5))), False),
    ("July 1 on Kiribati, June 30 in UTC", datetime(2026, 7, 1, 13, 59, tzinfo=timezone(timedelta(hours=14))), True),
]


@table(MOMENTS, "now allowed")
def test_the_last_day_ends_with_the_day_in_utc(now: datetime, allowed: bool) -> None:
    assert evaluated(exempt(BAD, value="2026-06-30"), now=now).allowed is allowed


def test_a_setting_says_how_many_days_ahead_the_last_day_may_be() -> None:
    vm_object = exempt(BAD, value="2026-07-02")
    assert [evaluated(vm_object, maxDays=days).allowed for days in (1, 2)] == [False, True]


@pytest.mark.parametrize("reason", [{}, {"migratability.io/exempt-reason": ""}, {"other": "x"}], ids=repr)
def test_a_label_without_a_reason_counts_only_where_the_setting_requires_none(reason: Object) -> None:
    found = evaluated(exempt(BAD, reason=reason))
    assert not found.allowed
    assert "migratability.io/exempt-reason" in about_exemptions(found)[0]
    assert evaluated(exempt(BAD, reason=reason), requireReason=False).allowed


@pytest.mark.parametrize("rule", ["shared-access", "all"])
def test_a_label_waives_no_other_rule_and_all_waives_every_rule(rule: str) -> None:
    found = evaluated(exempt(vm(disk("once"), host_disk("h")), rule=rule))
    exemptions = {violation.rule: violation.exempt for violation in found.violations}
    assert exemptions == {"shared-access": True, "host-disk": rule == "all"}
    assert found.allowed is (rule == "all")


def test_an_exemption_covers_volumes_that_are_added_later() -> None:
    assert evaluated(exempt(vm(disk("once"), disk("once-block"))), old=exempt(BAD)).allowed


OF_NAMESPACE = namespace("old storage", shared_access="true")
OTHER_NAMESPACE = {**OF_NAMESPACE, "metadata": {**OF_NAMESPACE["metadata"], "name": "other"}}
VMI_OF_POOL = ("spec", "virtualMachineTemplate", "spec", "template")
SOURCES: list[tuple[str, Object, tuple[Object, ...], bool]] = [
    ("its namespace", BAD, (OF_NAMESPACE,), True),
    ("its namespace, its own has ended", exempt(BAD, value=ENDED), (OF_NAMESPACE,), True),
    ("another namespace", BAD, (OTHER_NAMESPACE,), False),
    ("a VMI", exempt(vmi(disk("once"))), (), True),
    ("a ReplicaSet", exempt(replica_set(disk("once"))), (), True),
    ("a Pool", exempt(pool(disk("once"))), (), True),
    ("a VM's template", exempt(BAD, "spec", "template"), (), False),
    ("a ReplicaSet's template", exempt(replica_set(disk("once")), "spec", "template"), (), False),
    ("a Pool's VM template", exempt(pool(disk("once")), "spec", "virtualMachineTemplate"), (), False),
    ("a Pool's VMI template", exempt(pool(disk("once")), *VMI_OF_POOL), (), False),
    *(
        (label, tagged(BAD, labels={label: "true"}, annotations=REASON), (), False)
        for label in ("exempt.migratability.io", "migratability.io/exempt", "xexempt.migratability.io/all")
    ),
]


@table(SOURCES, "obj objects allowed")
def test_where_an_exemption_counts(obj: Object, objects: tuple[Object, ...], allowed: bool) -> None:
    assert evaluated(obj, *objects).allowed is allowed


def test_a_namespaces_label_without_a_reason_waives_nothing_and_is_reported_as_its_own() -> None:
    found = evaluated(tagged(BAD, annotations=REASON), namespace(shared_access="true"))
    assert not found.allowed
    assert "its namespace" in about_exemptions(found)[0]


ENDED_LINE = f"exemption from all on the VM ended on {ENDED} [exemption]"
AFTER_THE_END = [
    ("an edit", vm(disk("once"), hostname="x"), BAD, [True], True),
    ("one more violation", vm(disk("once"), disk("once-block")), BAD, [True, False], False),
    ("a new VM", BAD, None, [False], False),
    ("a new VM with a violation that only warns", vm(disk("nowhere"), disk("once")), None, [False, False], False),
]


@table(AFTER_THE_END, "new old preexisting allowed")
def test_after_its_end_an_exemption_waives_nothing_new_and_a_warning_says_so(
    new: Object, old: Object | None, preexisting: list[bool], allowed: bool
) -> None:
    found = evaluated(exempt(new, value=ENDED), old=exempt(old, value=ENDED) if old else None)
    assert [violation.preexisting for violation in found.violations] == preexisting
    assert (found.allowed, about_exemptions(found)) == (allowed, [ENDED_LINE])


BLOCKING = kubevirt(evictionStrategy="LiveMigrate")
PATCHES: list[tuple[str, Object, list[Object], list[str]]] = [
    *((make.__name__, make(disk("once")), [], []) for make in (vm, vmi, replica_set, pool)),
    ("good", vm(disk("good")), [], ["LiveMigrate"]),
    ("a VMI whose default would block a drain", vmi(disk("once")), [BLOCKING], ["LiveMigrateIfPossible"]),
]


@table(PATCHES, "obj objects values")
def test_an_exempt_vm_gets_live_migrate_only_where_it_can_migrate(
    obj: Object, objects: list[Object], values: list[str]
) -> None:
    found = evaluated(exempt(obj), *objects)
    assert (found.allowed, [operation["value"] for operation in found.patch]) == (True, values)


def test_offline_only_an_exemption_that_is_needed_is_warned_about() -> None:
    (line,) = [line for line in evaluated(exempt(BAD)).warnings if "offline" in line]
    assert "was not checked" in line
    assert not any("offline" in line for line in evaluated(exempt(vm(disk("good")))).warnings)


STARTS = [
    ("PVC created before the end", "shared-access", "2025-12-31", f"shared-access until {ENDED}: moves to NFS in July"),
    ("PVC created after the end", "shared-access", "2026-02-01", None),
    ("no PVC", "claim-known", None, f"claim-known until {ENDED}: moves to NFS in July"),
]


@table(STARTS, "rule created exemption")
def test_at_the_start_an_ended_exemption_counts_but_for_a_pvc_created_after_its_end(
    rule: str, created: str | None, exemption: str | None
) -> None:
    late = claim("late", RWO)
    late["metadata"]["creationTimestamp"] = f"{created}T10:00:00Z"
    owner = exempt(vm(disk("late")), rule=rule, value=ENDED)
    cluster = Snapshot([*CLUSTER, *([late] if created else [])])
    question = Question(vmi(disk("late")), None, "CREATE", owner, final=True, now=NOW)
    found = answer_start(question, frozenset({"claim/late"}), cluster, Settings())
    (violation,) = found.violations
    assert (violation.rule, violation.action) == (rule, "deny")
    assert (found.allowed, found.exemption_of(violation)) == (exemption is not None, exemption)
