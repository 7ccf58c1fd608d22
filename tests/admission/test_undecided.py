"""What cannot be decided is an HTTP 500 with a review in it, so that the failurePolicy decides."""

import itertools
import json
import logging
from collections.abc import Collection, Mapping
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from tests.admission.client import KUBEVIRT, Webhook, changed
from tests.build import CLUSTER, disk, review, vm
from webhook.cluster import Cluster, ClusterUnavailable, Snapshot, Undecidable
from webhook.cluster.interface import Right
from webhook.cluster.resources import Resource
from webhook.server.logs import JsonFormatter

Fact = TypeVar("Fact")

UID = "11111111-2222-3333-4444-555555555555"
REQUEST = review(vm(disk("good")))


class Broken:
    """A cluster that raises whatever it is asked."""

    is_live = True

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get(self, resource: Resource[Fact], name: str, namespace: str = "") -> Fact | None:
        raise self._error

    def list(self, resource: Resource[Fact]) -> Collection[Fact]:
        raise self._error

    def may(self, user: Mapping[str, Any], right: Right) -> bool:
        raise self._error

    def within(self, seconds: float, *, confirm: bool = False) -> Cluster:
        return self


class Watched(Snapshot):
    """A snapshot that notes how long it is given."""

    def __init__(self) -> None:
        super().__init__((KUBEVIRT, *CLUSTER))
        self.given: list[float] = []

    def within(self, seconds: float, *, confirm: bool = False) -> Snapshot:
        self.given.append(seconds)
        return self


ERRORS = {
    "undecidable": Undecidable("secret-words"),
    "out of reach": ClusterUnavailable("secret-words"),
    "unexpected": RuntimeError("secret-words"),
}


@pytest.mark.parametrize("path", ["/validate", "/mutate"])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_what_cannot_be_decided_is_a_500_with_a_review_that_carries_the_uid(path: str, error: Exception) -> None:
    answer = Webhook(Broken(error)).post(path, REQUEST)
    body = answer.get_json()
    assert answer.status_code == 500
    assert (body["apiVersion"], body["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    assert (body["response"]["uid"], body["response"]["allowed"]) == (UID, False)
    assert body["response"]["status"]["code"] == 500


def test_the_answer_says_what_the_cluster_could_not_say() -> None:
    error = ClusterUnavailable("the API server did not answer in time")
    status = Webhook(Broken(error)).post("/validate", REQUEST).get_json()["response"]["status"]
    assert status["message"] == "cannot decide: the API server did not answer in time"


def test_an_unexpected_error_is_logged_with_its_trace_and_uid(caplog: pytest.LogCaptureFixture) -> None:
    Webhook(Broken(RuntimeError("no such luck"))).post("/validate", REQUEST)
    (record,) = caplog.records
    line = json.loads(JsonFormatter().format(record))
    assert (line["level"], line["uid"]) == ("error", UID)
    assert "RuntimeError: no such luck" in line["traceback"]


def test_an_unexpected_error_shows_the_caller_nothing_of_the_code() -> None:
    text = Webhook(Broken(RuntimeError("no such luck"))).post("/validate", REQUEST).get_data(as_text=True)
    assert not [word for word in ("Traceback", "RuntimeError", "no such luck", ".py") if word in text]


def test_an_undecided_request_is_one_line_without_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    Webhook(Broken(Undecidable("no word of it"))).post("/validate", REQUEST)
    (record,) = caplog.records
    line = json.loads(JsonFormatter().format(record))
    assert (line["level"], line["uid"], line["message"]) == ("warning", UID, "no decision: no word of it")
    assert "traceback" not in line


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_what_cannot_be_decided_is_counted(error: Exception) -> None:
    webhook = Webhook(Broken(error))
    webhook.post("/validate", REQUEST)
    assert webhook.requests("/validate", "CREATE", "virtualmachines", "errored") == 1
    assert webhook.metric("migratability_admission_request_duration_seconds_count", path="/validate") == 1


def test_the_next_request_is_answered_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    webhook = Webhook(Broken(RuntimeError("once")))
    webhook.post("/validate", REQUEST)
    webhook.state.cluster = Snapshot((KUBEVIRT, *CLUSTER))
    with caplog.at_level(logging.CRITICAL):
        assert webhook.validate(REQUEST)["allowed"] is True


TIMEOUTS = {"100ms": 0.1, "1s": 1.0, "10s": 10.0, "30s": 30.0, "1m30s": 90.0, "2.5s": 2.5, "1s500ms": 1.5}
NO_TIMEOUTS = ("", "junk", "-5s", "10", "s", "1e3s", "10s ", "NaN", "0s")


@pytest.mark.parametrize(("timeout", "seconds"), TIMEOUTS.items(), ids=TIMEOUTS)
def test_the_cluster_is_given_a_little_less_time_than_we_have(timeout: str, seconds: float) -> None:
    cluster = Watched()
    assert Webhook(cluster).post(f"/validate?timeout={timeout}", REQUEST).status_code == 200
    assert all(seconds / 2 <= given < seconds for given in cluster.given)
    assert cluster.given


def test_to_confirm_a_denial_there_is_only_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(100)
    monkeypatch.setattr("webhook.admission.handler.time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    cluster = Watched()
    assert Webhook(cluster).validate(review(vm(disk("once"))))["allowed"] is False
    first, second = cluster.given
    assert second == first - 1, "a second went by on the clock"


@pytest.mark.parametrize("timeout", NO_TIMEOUTS, ids=repr)
def test_a_timeout_that_nobody_understands_counts_as_kubernetes_ten_seconds(timeout: str) -> None:
    cluster = Watched()
    assert Webhook(cluster).client.post("/mutate", json=REQUEST, query_string={"timeout": timeout}).status_code == 200
    assert all(9 <= given < 10 for given in cluster.given)
    assert cluster.given


def test_a_request_that_is_not_evaluated_is_allowed_also_while_nothing_can_be_asked() -> None:
    cluster = Broken(ClusterUnavailable("down"))
    request = changed(REQUEST, operation="DELETE", object=None, oldObject=vm(disk("good")))
    assert Webhook(cluster).validate(request)["allowed"] is True


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_where_nothing_is_denied_what_cannot_be_decided_is_admitted_with_a_warning(error: Exception) -> None:
    response = Webhook(Broken(error), mode="warn").validate(REQUEST)
    (warning,) = response["warnings"]
    assert response["allowed"] is True
    assert warning.startswith("not evaluated: ")
    assert len(warning) <= 256


def test_where_nothing_is_evaluated_nothing_is_asked() -> None:
    response = Webhook(Broken(ClusterUnavailable("down")), mode="off").validate(REQUEST)
    assert response == {"uid": UID, "allowed": True}
