"""Leader election: one leads, whatever the clocks say."""

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
    ("another holds it, just renewed", Record(HELD, 100), 100, False),
    ("another holds it, for less than 15 s unchanged", Record(HELD, 100), 114.9, False),
    ("another holds it, for 15 s unchanged", Record(HELD, 100), 115, True),
    ("another PVCs it for longer", Record({**HELD, "leaseDurationSeconds": 9999}, 100), 115, True),
]


@pytest.mark.parametrize(("record", "now", "may"), [row[1:] for row in DECISIONS], ids=[row[0] for row in DECISIONS])
def test_who_may_lead(record: Record | None, now: float, may: bool) -> None:
    assert may_be_leader(record, "me", now) is may


def test_a_pvc_counts_from_when_it_was_seen_to_change() -> None:
    first = observed({"spec": HELD}, None, 10)
    assert first.since == 10
    assert observed({"spec": {**HELD}}, first, 20).since == 10
    assert observed({"spec": {**HELD, "renewTime": "later"}}, first, 20).since == 20


def test_the_times_in_a_lease_are_not_looked_at() -> None:
    """The clock of its holder may be wrong by years."""
    for year in (1970, 2100):
        record = observed({"spec": renewed_spec({}, "other", NOON.replace(year=year))}, None, 0)
        assert not may_be_leader(record, "me", 14)


def test_a_pvc_says_what_kubectl_shows() -> None:
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


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Candidate(LeaderElector):
    """A replica with a clock of its own."""

    def __init__(self, api: FakeApi, name: str) -> None:
        self.clock = Clock()
        super().__init__("migratability", "migratability-webhook", name, self.clock)
        self.client = api.client

    def take_part(self) -> bool:
        """Take part once; return whether it leads."""
        return self.may_be_leader(self.client) and self.run(self.client, OWNER)


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def both(api: FakeApi) -> tuple[Candidate, Candidate]:
    return Candidate(api, "a"), Candidate(api, "b")


def test_the_first_leads_and_the_other_waits(both: tuple[Candidate, Candidate]) -> None:
    a, b = both
    assert [a.take_part(), b.take_part(), a.take_part(), b.take_part()] == [True, False, True, False]


def test_the_other_leads_when_the_first_is_silent_for_15_seconds(both: tuple[Candidate, Candidate]) -> None:
    a, b = both
    a.take_part()
    assert not b.take_part()
    b.clock.now = 14.9
    assert not b.take_part()
    b.clock.now = 15
    assert b.take_part()


def test_a_leader_that_renews_keeps_the_other_waiting(both: tuple[Candidate, Candidate]) -> None:
    a, b = both
    a.take_part()
    for second in range(2, 60, 2):
        a.clock.now = b.clock.now = second
        assert [a.take_part(), b.take_part()] == [True, False]


def test_two_never_lead_at_once_although_one_is_suspended(both: tuple[Candidate, Candidate]) -> None:
    """Its clock stands still; what it does first when it wakes tells it."""
    a, b = both
    a.take_part()
    b.take_part()
    b.clock.now = 20
    assert b.take_part()
    assert not a.take_part()


def test_a_leader_that_cannot_renew_stops_before_another_can_begin(api: FakeApi) -> None:
    a = Candidate(api, "a")
    a.take_part()
    api.faults["leases"] = OUT_OF_REACH
    for second, is_leader in ((2, True), (9.9, True), (10, False)):
        a.clock.now = second
        with pytest.raises(ClusterUnavailable):
            a.take_part()
        assert a.is_leader is is_leader


def test_a_lease_that_another_wrote_meanwhile_is_not_taken(api: FakeApi) -> None:
    a = Candidate(api, "a")
    stale = api.put_there(LEASE, {"metadata": {"name": "x"}, "spec": {"holderIdentity": ""}})
    assert a.may_be_leader(a.client)
    api.put_there(LEASE, {**stale, "spec": HELD})
    assert not a.run(a.client, OWNER)
    assert api.objects[LEASE]["spec"] == HELD


def test_what_is_given_back_is_taken_at_once(both: tuple[Candidate, Candidate], api: FakeApi) -> None:
    a, b = both
    a.take_part()
    b.take_part()
    a.release(a.client)
    assert not a.is_leader
    assert b.take_part()
    assert api.objects[LEASE]["spec"]["leaseTransitions"] == 1


def test_who_does_not_lead_gives_nothing_back(both: tuple[Candidate, Candidate], api: FakeApi) -> None:
    a, b = both
    a.take_part()
    b.take_part()
    b.release(b.client)
    assert api.objects[LEASE]["spec"]["holderIdentity"] == "a"


def test_the_lease_belongs_to_the_owner_and_keeps_what_others_put_there(api: FakeApi) -> None:
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
