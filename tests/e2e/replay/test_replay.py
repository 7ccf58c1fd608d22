"""What users did with KubeVirt, made again on a real API server through the real webhook configurations.

The recording was made without a mutating webhook: what follows a creation holds LiveMigrate, as if it had been.
"""

from collections import Counter

import pytest

from tests.admission.test_traffic_paths import DENIED, SPECS
from tests.build import Object
from tests.conftest import Report
from tests.e2e.replay.player import Played
from webhook.objects import at

pytestmark = pytest.mark.cluster

RETRIED = "VMI create by virt-controller refused"
"""The step in which KubeVirt creates a denied VMI again and again."""


def denial(each: Played, cause: str) -> tuple[str, ...]:
    """Return what a denial is about: what the user did, what was written by whom, the PVC, the rule."""
    write = each.write
    name, rule = cause.split('PVC "')[1].partition('"')[0], cause.rpartition("[")[2].rstrip("]")
    return (write.step, write.whole_resource, write.who, name, rule)


def strategy(vm: Object) -> object:
    """Return the eviction strategy of a VM of any kind."""
    return at(vm, *SPECS[vm["kind"]], "evictionStrategy")


def is_running(vm: Object) -> bool:
    """Say whether a VM is a VMI or has one."""
    return vm["kind"] == "VirtualMachineInstance" or at(vm, "status", "created") is True


def test_exactly_the_bad_disks_are_denied_and_named_in_the_message_that_virtctl_shows(played: list[Played]) -> None:
    denied = [each for each in played if each.is_denied]
    assert [denial(each, cause) for each in denied for cause in each.causes] == DENIED
    assert [each.message for each in denied if f'PVC "{denial(each, each.causes[0])[3]}"' not in each.message] == []


def test_everything_else_is_stored_but_what_was_lost_to_another_write(played: list[Played]) -> None:
    others = [each for each in played if not each.is_denied and not each.is_stored]
    assert {(each.status, each.write.is_late) for each in others} == {(409, True)}
    assert len(others) == sum(each.write.is_late for each in played)


def test_every_vm_that_is_created_gets_live_migrate(played: list[Played]) -> None:
    created = [each for each in played if each.write.operation == "CREATE" and each.answer["kind"] in SPECS]
    assert {each.answer["kind"] for each in created} == set(SPECS)
    assert [each for each in created if strategy(each.sent or {}) == "LiveMigrate"] == []
    assert {strategy(each.answer) for each in created} == {"LiveMigrate"}


def test_no_running_vm_is_patched(played: list[Played]) -> None:
    updates = [each for each in played if each.write.operation == "UPDATE" and each.is_stored]
    running = [each for each in updates if each.answer["kind"] in SPECS and is_running(each.answer)]
    assert {each.answer["kind"] for each in running} == {"VirtualMachine", "VirtualMachineInstance"}
    for each in running:
        assert each.answer["spec"] == (each.sent or {})["spec"], each.write.step


def test_less_than_one_write_in_four_reaches_the_webhook(played: list[Played], report: Report) -> None:
    total = Counter(each.write.step for each in played)
    reached = Counter(each.write.step for each in played if each.reached)
    report(*(f"  {step}: {reached[step]} of {count} writes reached the webhook" for step, count in total.items()))
    report(f"  {reached.total()} of {total.total()} in all, {reached[RETRIED]} of {total[RETRIED]} in {RETRIED!r}")
    assert (reached.total() - reached[RETRIED]) * 4 < total.total() - total[RETRIED]
    assert total[RETRIED] > 0
