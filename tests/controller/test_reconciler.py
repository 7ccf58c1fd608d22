"""What the leader writes in one reconcile, and how long it pauses after it."""

from dataclasses import replace

import pytest

from tests.controller.fake import MUTATING, PROBE, VALIDATING, FakeApi, installation
from webhook.cluster.live import LiveCluster
from webhook.controller.live_configurations import read_configurations
from webhook.controller.owned import Owner
from webhook.controller.plan import ReconcileInputs
from webhook.controller.problems import Problems
from webhook.controller.reconciler import PROBE_SECONDS, RECONCILE_SECONDS, Reconciler
from webhook.settings import Settings

INPUTS = ReconcileInputs(
    installation(), Settings(), Owner("registrations", "u1"), "kubevirt", b"bundle", frozenset({"1.0"})
)
OFF = replace(INPUTS, settings=Settings(webhook_configurations="off"))


class Leader:
    """A reconciler on an API server in memory."""

    def __init__(self) -> None:
        self.api, self.now = FakeApi(), 0.0
        self.reconciler = Reconciler(Problems(), lambda: self.now)

    def run(self, inputs: ReconcileInputs = INPUTS) -> float | None:
        """Reconcile once; return the pause."""
        del self.api.writes[:]
        return self.reconciler.run(self.api.client, read_configurations(LiveCluster(self.api).within(5.0)), inputs)

    def edit(self) -> None:
        """Change a webhook configuration, as another program would."""
        self.api.put_there(VALIDATING, {**self.api.objects[VALIDATING], "webhooks": []})


@pytest.fixture
def leader() -> Leader:
    """A leader whose webhook configurations are in place."""
    found = Leader()
    assert [found.run() for _ in range(3)] == [RECONCILE_SECONDS, RECONCILE_SECONDS, None]
    return found


def test_a_probe_without_an_answer_is_repeated_soon() -> None:
    leader = Leader()
    leader.api.answers = False
    assert [leader.run(), leader.run()] == [PROBE_SECONDS] * 2
    assert set(leader.api.objects) & {PROBE, VALIDATING, MUTATING} == {PROBE}


def test_a_change_is_reverted_and_each_deletion_is_seen_by_all_api_servers_before_the_next(leader: Leader) -> None:
    leader.edit()
    assert (leader.run(), leader.run()) == (PROBE_SECONDS, None)
    assert [leader.run(OFF), leader.run(OFF), leader.run(OFF)] == [RECONCILE_SECONDS, RECONCILE_SECONDS, None]
    assert not {VALIDATING, MUTATING} & set(leader.api.objects)


def test_repeated_external_changes_are_reverted_once_a_minute(leader: Leader, caplog: pytest.LogCaptureFixture) -> None:
    pauses = []
    for _ in range(40):
        leader.edit()
        pauses.append(leader.run())
    assert pauses == [PROBE_SECONDS] * 20 + [None] * 20
    why = "another program keeps changing the webhook configurations; changes are reverted once a minute"
    assert caplog.messages == [f"external changes: {why}"]
    leader.now = 60.0
    assert (leader.run(), leader.api.objects[VALIDATING]["webhooks"] != []) == (PROBE_SECONDS, True)
