"""The controller thread of a replica: what it does, in which order and when."""

import math
from datetime import UTC, datetime

import pytest

from tests.controller.conftest import DEADLINE, Replica
from tests.controller.fake import LEASE, MUTATING, OUT_OF_REACH, OWNER, PODS, PROBE, SECRET, VALIDATING, FakeApi, pod
from webhook.cluster import live
from webhook.cluster.api import ApiError
from webhook.controller import reconciler
from webhook.controller.leader_election import renewed_spec
from webhook.settings import Settings

ROLE = {"metadata": {"name": "registrations", "uid": "u2"}}
NOW = datetime(2027, 1, 1, tzinfo=UTC)
FOREIGN = {"metadata": {"name": "migratability"}, "webhooks": [{"clientConfig": {"url": "https://example.com"}}]}


def in_force(api: FakeApi) -> bool:
    """Whether both configurations exist, and the probe is gone."""
    return VALIDATING in api.objects and MUTATING in api.objects and PROBE not in api.objects


@pytest.fixture
def leader(replica: Replica, api: FakeApi) -> Replica:
    """A leader whose webhook configurations are in place."""
    replica.controller.start()
    replica.await_that(lambda: in_force(api), "webhook configurations")
    return replica


def test_nothing_is_configured_before_the_probe_is_answered_and_the_validating_side_comes_last(
    replica: Replica, api: FakeApi
) -> None:
    api.answers = False
    replica.controller.start()
    replica.await_that(lambda: PROBE in api.objects, "probe")
    replica.await_reconciles()
    assert not {VALIDATING, MUTATING} & set(api.objects)
    api.answers = True
    replica.await_that(lambda: in_force(api), "webhook configurations")
    first = list(dict.fromkeys(path for verb, path in api.writes if verb != "delete"))
    assert first == [LEASE, SECRET, PROBE, MUTATING, VALIDATING]


def test_a_second_replica_is_ready_with_a_certificate_and_becomes_leader_after_the_first(
    leader: Replica, api: FakeApi
) -> None:
    assert leader.is_leader
    second = Replica(api)
    second.controller.start()
    second.await_that(lambda: not second.controller.unready(), "readiness")
    assert not second.is_leader
    leader.controller.close()
    assert not leader.is_leader
    second.await_that(lambda: second.is_leader, "second leader")
    second.controller.close()
    assert api.objects[LEASE]["spec"]["holderIdentity"] == ""


def test_unready_says_why_from_the_first_moment_on(replica: Replica) -> None:
    assert replica.controller.unready() == {
        "controller": "the webhook configurations have not been read yet",
        "certificates": "no certificate has been offered yet",
    }
    replica.controller.start()
    replica.await_that(lambda: not replica.controller.unready(), "readiness")


def test_unready_says_that_there_is_no_secret_yet(replica: Replica, api: FakeApi) -> None:
    api.put_there(LEASE, {"metadata": {"name": "x"}, "spec": renewed_spec({}, "another", NOW)})
    replica.controller.start()
    replica.await_that(lambda: set(replica.controller.unready()) == {"certificates"}, "first reconcile")
    why = replica.controller.unready()["certificates"]
    assert why == (
        "no certificate has been offered yet; "
        "Secret migratability/migratability-webhook-ca does not exist yet; the leader creates it"
    )


FAULTS = {
    "500": ApiError(500, "etcd is gone"),
    "403": ApiError(403, "you may not"),
    "a timeout": OUT_OF_REACH,
    "a bug": KeyError("unexpected"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("path", [OWNER, LEASE, SECRET, VALIDATING, "pods"])
def test_an_error_is_logged_once_and_the_controller_recovers_after_it(
    replica: Replica, api: FakeApi, caplog: pytest.LogCaptureFixture, path: str, fault: Exception
) -> None:
    api.faults[path] = fault
    replica.controller.start()
    replica.await_that(lambda: "controller: " in caplog.text, "message")
    replica.await_reconciles()
    reported = [record.message for record in caplog.records if record.message.startswith("controller: ")]
    assert len(reported) == 1
    assert str(fault) in reported[0]
    assert VALIDATING not in api.objects
    api.faults.clear()
    replica.await_that(lambda: in_force(api), "webhook configurations")
    replica.await_that(lambda: "controller: recovered" in caplog.text, "message")


@pytest.mark.parametrize("path", [OWNER, LEASE])
@pytest.mark.usefixtures("leader")
def test_a_replica_that_cannot_be_elected_still_serves(api: FakeApi, path: str) -> None:
    second = Replica(api)
    api.faults[path] = OUT_OF_REACH
    second.controller.start()
    second.await_that(lambda: not second.controller.unready(), "readiness")
    second.controller.close()


def test_an_error_after_the_first_reconcile_makes_no_replica_unready(leader: Replica, api: FakeApi) -> None:
    """What it serves is in memory; otherwise all replicas would be unready at once."""
    api.faults["/"] = OUT_OF_REACH
    leader.await_reconciles()
    assert leader.controller.unready() == {}


@pytest.mark.parametrize("is_being_deleted", [False, True])
def test_a_leader_creates_nothing_without_its_cluster_role(
    leader: Replica, api: FakeApi, caplog: pytest.LogCaptureFixture, is_being_deleted: bool
) -> None:
    del api.objects[OWNER]
    if is_being_deleted:
        api.put_there(OWNER, {"metadata": {**ROLE["metadata"], "deletionTimestamp": "2027-01-01T00:00:00Z"}})
    leader.await_that(lambda: "ClusterRole registrations does not exist" in caplog.text, "message")
    for path in (VALIDATING, MUTATING, SECRET, LEASE):
        del api.objects[path]
    leader.await_reconciles()
    assert not {VALIDATING, MUTATING, SECRET, LEASE} & set(api.objects)
    api.put_there(OWNER, ROLE)
    leader.await_that(lambda: in_force(api), "webhook configurations")
    assert api.objects[VALIDATING]["metadata"]["ownerReferences"][0]["uid"] == "u2"


def test_another_installation_is_reported_and_never_changed(replica: Replica, api: FakeApi) -> None:
    api.put_there(VALIDATING, FOREIGN)
    before = api.objects[VALIDATING]
    replica.controller.start()
    replica.await_that(lambda: "webhook configurations" in replica.controller.unready(), "message")
    replica.await_reconciles()
    assert replica.controller.unready()["webhook configurations"] == (
        'ValidatingWebhookConfiguration migratability is not ours, it calls "https://example.com"; '
        "uninstall one of the two installations, or delete it if it is left over"
    )
    assert api.objects[VALIDATING] is before
    assert MUTATING not in api.objects
    replica.settings = Settings(webhook_configurations="off")
    replica.await_that(lambda: not replica.controller.unready(), "readiness")
    assert api.objects[VALIDATING] is before


def test_the_expiry_of_the_certificate_is_a_metric(replica: Replica) -> None:
    expiry = "migratability_certificate_expiry_timestamp_seconds"
    assert replica.controller.gauges() == {"migratability_leader_election_master_status": 0, expiry: 0}
    replica.controller.start()
    replica.await_that(lambda: replica.serving.current(), "certificate")
    leaf = replica.serving.current()
    assert leaf
    assert replica.controller.gauges()[expiry] == leaf.parsed()[0].not_valid_after_utc.timestamp()


def test_a_lease_that_expires_unrenewed_is_logged(
    leader: Replica, api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.faults[VALIDATING] = OUT_OF_REACH
    vars(leader.controller._leader_elector)["_clock"] = lambda: math.inf
    leader.await_that(lambda: "lost leadership" in caplog.messages, "message")


def test_a_lease_that_cannot_be_released_delays_nothing(
    leader: Replica, api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.faults["leases"] = OUT_OF_REACH
    leader.controller.close()
    assert "cannot release leadership" in caplog.text


SEEN = {"Secret": SECRET, "ValidatingWebhookConfiguration": VALIDATING, "MutatingWebhookConfiguration": MUTATING}


@pytest.fixture
def idle(leader: Replica, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Replica:
    """A leader when nothing is due any more, the watches see what is there, and only an event reconciles."""
    leader.await_reconciles()
    monkeypatch.setattr(reconciler, "RECONCILE_SECONDS", DEADLINE)
    leader.show({"KubeVirt": None} | {kind: api.objects[path] for kind, path in SEEN.items()})
    del api.reads[:], api.writes[:]
    return leader


@pytest.mark.parametrize("kind", SEEN)
def test_a_deletion_is_reverted_when_a_watch_sees_it(idle: Replica, api: FakeApi, kind: str) -> None:
    del api.objects[SEEN[kind]]
    idle.show({kind: None})
    assert SEEN[kind] in api.objects


def test_the_leader_reads_only_its_lease_and_its_owner_while_its_watches_work(idle: Replica, api: FakeApi) -> None:
    idle.show({kind: api.objects[path] for kind, path in SEEN.items()})
    assert set(api.reads) == {LEASE, OWNER}
    assert {path for _, path in api.writes} == {LEASE}


def test_a_stale_event_makes_the_leader_read_but_not_write(idle: Replica, api: FakeApi) -> None:
    idle.show({"ValidatingWebhookConfiguration": {**api.objects[VALIDATING], "webhooks": []}})
    assert VALIDATING in api.reads
    assert {path for _, path in api.writes} == {LEASE}


def test_the_leader_waits_for_events_while_another_version_keeps_its_rules(idle: Replica, api: FakeApi) -> None:
    api.objects[PODS] = {"items": [pod("pod-1", "1.0"), pod("pod-2", "2.0")]}
    rest = api.put_there(VALIDATING, {**api.objects[VALIDATING], "webhooks": api.objects[VALIDATING]["webhooks"][1:]})
    idle.show({"ValidatingWebhookConfiguration": rest})
    assert (PODS in api.reads, idle.pause, api.objects[VALIDATING]) == (True, None, rest)


def test_a_stale_watch_is_not_trusted(idle: Replica, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "STALE_OF_ONE", 0.0)
    api.put_there(MUTATING, {**api.objects[MUTATING], "webhooks": []})
    idle.show({"Secret": api.objects[SECRET]})
    assert api.objects[MUTATING]["webhooks"]
