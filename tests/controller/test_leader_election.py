"""Leader election: one leader, whatever the clocks say."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from tests.controller.fake import LEASE, OUT_OF_REACH, FakeApi
from webhook.cluster import ClusterUnavailable
from webhook.controller.leader_election import LeaderElector, Record, may_be_leader, observed, renewed_spec
from webhook.controller.owned import Owner

OWNER = Owner("registrations", "u1")
NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)
HELD = renewed_spec({}, "other", NOON)

DECISIONS: list[tuple[str, Record | None, float, bool]] = [
    ("there is no Lease", None, 0, True),
    ("nobody holds it", Record({"holderIdentity": ""}, 0), 1, True),
    ("it has no content", Record({}, 0), 1, True),
    ("we hold it", Record({**HELD, "holderIdentity": "me"}, 0), 100, True),
    ("another holds it, for less than 15 s unchanged", Record(HELD, 100), 114.9, False),
    ("another holds it, for 15 s unchanged", Record(HELD, 100), 115, True),
    ("another asks for a longer lease", Record({**HELD, "leaseDurationSeconds": 9999}, 100), 115, True),
    ("its clock is behind by years", Record(renewed_spec({}, "other", NOON.replace(year=1970)), 100), 114, False),
]


@pytest.mark.parametrize(("record", "now", "may"), [row[1:] for row in DECISIONS], ids=[row[0] for row in DECISIONS])
def test_a_replica_may_become_leader(record: Record | None, now: float, may: bool) -> None:
    assert may_be_leader(record, "me", now) is may


def test_a_lease_counts_from_when_it_was_seen_to_change() -> None:
    first = observed({"spec": HELD}, None, 10)
    assert first.since == 10
    assert observed({"spec": {**HELD}}, first, 20).since == 10
    assert observed({"spec": {**HELD, "renewTime": "later"}}, first, 20).since == 20


def test_a_lease_has_the_fields_that_kubectl_shows() -> None:
    first = renewed_spec({}, "me", NOON)
    assert first == {
        "holderIdentity": "me",
        "leaseDurationSeconds": 15,
        "acquireTime": "2027-01-01T12:00:00.000000Z",
        "renewTime": "2027-01-01T12:00:00.000000Z",
        "leaseTransitions": 0,
    }
    renewed = renewed_spec(first, "me", NOON + timedelta(seconds=2))
    assert renewed == {**first, "renewTime": "2027-01-01T12:00:02.000000Z"}
    assert renewed_spec(renewed, "other", NOON)["leaseTransitions"] == 1


class Candidate(LeaderElector):
    """A replica with a clock of its own."""

    def __init__(self, api: FakeApi, name: str) -> None:
        self.now = 0.0
        super().__init__("migratability", "migratability-webhook", name, lambda: self.now)
        self.client = api.client

    def take_part(self, now: float | None = None) -> bool:
        """Take part once; return whether it is the leader."""
        self.now = self.now if now is None else now
        return self.may_be_leader(self.client) and self.run(self.client, OWNER)


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


Both = tuple[Candidate, Candidate]


@pytest.fixture
def both(api: FakeApi) -> Both:
    return Candidate(api, "a"), Candidate(api, "b")


def test_the_second_replica_becomes_leader_after_15_silent_seconds_and_a_suspended_one_is_no_leader(
    both: Both, caplog: pytest.LogCaptureFixture
) -> None:
    """The clock of the suspended one stands still; it reads the Lease before it writes anything."""
    a, b = both
    caplog.set_level(logging.INFO)
    assert a.take_part()
    assert [b.take_part(now) for now in (0, 14.9, 15)] == [False, False, True]
    assert not a.take_part()
    assert caplog.messages == ["became leader", "became leader", "lost leadership"]


def test_a_leader_that_cannot_renew_stops_before_another_can_begin_and_logs_each_change_once(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    a = Candidate(api, "a")
    assert [a.take_part(), a.take_part()] == [True, True]
    api.faults["leases"] = OUT_OF_REACH
    for second, is_leader in ((2, True), (9.9, True), (10, False)):
        with pytest.raises(ClusterUnavailable):
            a.take_part(second)
        assert a.is_leader is is_leader
    for _ in range(2):
        a.log_change()
    api.faults.clear()
    assert a.take_part()
    assert caplog.messages == ["became leader", "lost leadership", "became leader"]


def test_a_lease_that_another_replica_wrote_meanwhile_is_not_taken(api: FakeApi) -> None:
    a = Candidate(api, "a")
    stale = api.put_there(LEASE, {"metadata": {"name": "x"}, "spec": {"holderIdentity": ""}})
    assert a.may_be_leader(a.client)
    api.put_there(LEASE, {**stale, "spec": HELD})
    assert not a.run(a.client, OWNER)
    assert api.objects[LEASE]["spec"] == HELD


def test_only_the_leader_releases_the_lease_which_another_takes_at_once(both: Both, api: FakeApi) -> None:
    a, b = both
    assert [a.take_part(), b.take_part()] == [True, False]
    b.release(b.client)
    assert api.objects[LEASE]["spec"]["holderIdentity"] == "a"
    a.release(a.client)
    assert not a.is_leader
    assert b.take_part()
    assert api.objects[LEASE]["spec"]["leaseTransitions"] == 1


def test_the_lease_belongs_to_the_owner_and_keeps_the_labels_of_others(api: FakeApi) -> None:
    a = Candidate(api, "a")
    a.take_part()
    metadata = api.objects[LEASE]["metadata"]
    assert metadata["ownerReferences"] == [OWNER.reference]
    api.objects[LEASE]["metadata"] = {**metadata, "labels": {"team": "storage"}, "ownerReferences": []}
    a.take_part()
    metadata = api.objects[LEASE]["metadata"]
    assert metadata["ownerReferences"] == [OWNER.reference]
    assert metadata["labels"]["team"] == "storage"
    assert metadata["labels"]["velero.io/exclude-from-backup"] == "true"
