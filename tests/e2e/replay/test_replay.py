"""What users did with KubeVirt, made again on a real API server through the real webhook configurations.

The recording was made without a mutating webhook: what follows a creation holds LiveMigrate, as if it had been.
"""

from collections.abc import Iterable

import pytest

from tests.admission.test_traffic_paths import SPECS
from tests.build import Object
from tests.conftest import Report
from tests.e2e.replay.conftest import Replay
from tests.e2e.replay.player import Played
from tests.e2e.replay.recording import RETRIED, Denial
from webhook.objects import at

pytestmark = pytest.mark.cluster


def denial(played: Played, cause: str) -> Denial:
    """Return what a denial is about."""
    write = played.write
    name, rule = cause.split('PVC "')[1].partition('"')[0], cause.rpartition("[")[2].rstrip("]")
    return (write.step, write.whole_resource, write.who, name, rule)


def strategy(vm: Object) -> object:
    """Return the eviction strategy of a VM of any kind."""
    return at(vm, *SPECS[vm["kind"]], "evictionStrategy")


def is_running(vm: Object) -> bool:
    """Say whether a VM is a VMI or has one."""
    return vm["kind"] == "VirtualMachineInstance" or at(vm, "status", "created") is True


def shown(replay: Replay) -> Iterable[str]:
    """Describe a replay step by step."""
    for step in dict.fromkeys(each.write.step for each in replay.played):
        played = [each for each in replay.played if each.write.step == step]
        reached, recorded = share(played)
        yield f"  {step}: {recorded} writes, {reached} reached the webhook"
        for each in played:
            if each.is_denied:
                write = each.write
                yield f"    denied {write.operation} {write.whole_resource} by {write.who}: {each.causes[0]}"
    reached, recorded = share(replay.played)
    yield f"  {reached} of {recorded} recorded writes reached the webhook"
    reached, recorded = share(without_retries(replay))
    yield f"  {reached} of {recorded} without the step {RETRIED!r}"


def share(played: list[Played]) -> tuple[int, int]:
    """Return how many writes reached the webhook, and of how many."""
    return sum(each.reached for each in played), len(played)


def without_retries(replay: Replay) -> list[Played]:
    """Return what was played but for the step in which KubeVirt creates a denied VMI again and again."""
    return [each for each in replay.played if each.write.step != RETRIED]


def test_exactly_the_bad_disks_are_denied_and_named_in_the_message_that_virtctl_shows(
    replay: Replay, report: Report
) -> None:
    report(*shown(replay))
    denied = [each for each in replay.played if each.is_denied]
    assert [denial(each, cause) for each in denied for cause in each.causes] == replay.recording.denied
    assert [each.message for each in denied if f'PVC "{denial(each, each.causes[0])[3]}"' not in each.message] == []


def test_everything_else_is_stored_but_what_was_lost_to_another_write(replay: Replay) -> None:
    others = [each for each in replay.played if not each.is_denied and not each.is_stored]
    assert {(each.status, each.write.is_late) for each in others} == {(409, True)}
    assert len(others) == sum(each.write.is_late for each in replay.played)


def test_every_vm_that_is_created_gets_live_migrate(replay: Replay) -> None:
    created = [each for each in replay.played if each.write.operation == "CREATE" and each.answer["kind"] in SPECS]
    assert {each.answer["kind"] for each in created} == set(SPECS)
    assert [each for each in created if strategy(each.sent or {}) == "LiveMigrate"] == []
    assert {strategy(each.answer) for each in created} == {"LiveMigrate"}


def test_no_running_vm_is_patched(replay: Replay) -> None:
    updates = [each for each in replay.played if each.write.operation == "UPDATE" and each.is_stored]
    running = [each for each in updates if each.answer["kind"] in SPECS and is_running(each.answer)]
    assert {each.answer["kind"] for each in running} == {"VirtualMachine", "VirtualMachineInstance"}
    for each in running:
        assert each.answer["spec"] == (each.sent or {})["spec"], each.write.step


def test_less_than_one_write_in_four_reaches_the_webhook(replay: Replay) -> None:
    counted = without_retries(replay)
    reached, recorded = share(counted)
    assert reached * 4 < recorded
    assert len(counted) < len(replay.played)
