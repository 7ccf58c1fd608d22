"""What cannot be decided is an HTTP 500 with a review in it, so that the failurePolicy decides."""

import itertools
import json
from types import SimpleNamespace

import pytest

from tests.admission.client import KUBEVIRT, Broken, Webhook
from tests.build import CLUSTER, disk, review, vm
from tests.build_paths import UID
from webhook.cluster import ClusterUnavailable, Snapshot, Undecidable
from webhook.server.logs import JsonFormatter

REQUEST = review(vm(disk("good")))


class Watched(Snapshot):
    """A snapshot that notes how long it is given."""

    def __init__(self) -> None:
        super().__init__((KUBEVIRT, *CLUSTER))
        self.given: list[float] = []

    def within(self, seconds: float, *, confirm: bool = False) -> Snapshot:
        self.given.append(seconds)
        return self


ERRORS = [Undecidable("secret-words"), ClusterUnavailable("secret-words"), RuntimeError("secret-words")]


@pytest.mark.parametrize("path", ["/validate", "/mutate"])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_cannot_be_decided_is_a_counted_500_with_a_review_and_its_uid(path: str, error: Exception) -> None:
    webhook = Webhook(Broken(error))
    answer = webhook.post(path, REQUEST)
    body = answer.get_json()
    assert (answer.status_code, body["apiVersion"], body["kind"]) == (500, "admission.k8s.io/v1", "AdmissionReview")
    assert (body["response"]["uid"], body["response"]["allowed"]) == (UID, False)
    assert body["response"]["status"]["code"] == 500
    assert webhook.requests(path, "CREATE", "virtualmachines", "errored") == 1
    assert webhook.metric("migratability_admission_request_duration_seconds_count", path=path) == 1


def test_an_unreachable_cluster_is_logged_without_a_trace_and_named_in_the_response(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = Webhook(Broken(ClusterUnavailable("the API server did not answer in time"))).post("/validate", REQUEST)
    (line,) = (json.loads(JsonFormatter().format(record)) for record in caplog.records)
    assert (line["level"], line["uid"], "traceback" in line) == ("warning", UID, False)
    assert line["message"] == "no decision: the API server did not answer in time"
    assert b'"cannot decide: the API server did not answer in time"' in answer.data


def test_an_unexpected_error_is_logged_with_its_trace_not_shown_and_the_next_request_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    webhook = Webhook(Broken(RuntimeError("no such luck")))
    answer = webhook.post("/validate", REQUEST)
    (line,) = (json.loads(JsonFormatter().format(record)) for record in caplog.records)
    assert (line["level"], line["uid"], "RuntimeError: no such luck" in line["traceback"]) == ("error", UID, True)
    assert not [word for word in (b"Traceback", b"RuntimeError", b"no such luck", b".py") if word in answer.data]
    webhook.state.cluster = Snapshot((KUBEVIRT, *CLUSTER))
    assert webhook.validate(REQUEST)["allowed"] is True


TIMEOUTS = {"100ms": 0.1, "1s": 1.0, "10s": 10.0, "1m30s": 90.0, "2.5s": 2.5, "1s500ms": 1.5}
TIMEOUTS |= dict.fromkeys(("", "junk", "-5s", "10", "s", "1e3s", "10s ", "NaN", "0s"), 10.0)


@pytest.mark.parametrize(("timeout", "seconds"), TIMEOUTS.items(), ids=map(repr, TIMEOUTS))
def test_the_cluster_gets_a_little_less_than_the_timeout_or_kubernetes_ten_seconds(
    timeout: str, seconds: float
) -> None:
    cluster = Watched()
    answer = Webhook(cluster).client.post("/mutate", json=REQUEST, query_string={"timeout": timeout})
    assert (answer.status_code, bool(cluster.given)) == (200, True)
    assert all(max(seconds - 1, seconds / 2) <= given < seconds for given in cluster.given)


def test_to_confirm_a_denial_there_is_only_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(100)
    monkeypatch.setattr("webhook.admission.handler.time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    cluster = Watched()
    assert Webhook(cluster).validate(review(vm(disk("once"))))["allowed"] is False
    first, second = cluster.given
    assert second == first - 1, "a second went by on the clock"


def test_a_request_that_is_not_evaluated_is_allowed_also_while_nothing_can_be_asked() -> None:
    down, deletion = Broken(ClusterUnavailable("down")), review(None, vm(disk("good")), "DELETE")
    answers = [Webhook(down).validate(deletion), Webhook(down, mode="off").validate(REQUEST)]
    assert answers == [{"uid": UID, "allowed": True}] * 2


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_where_nothing_is_denied_what_cannot_be_decided_is_admitted_with_a_warning(error: Exception) -> None:
    response = Webhook(Broken(error), mode="warn").validate(REQUEST)
    (warning,) = response["warnings"]
    assert (response["allowed"], warning.startswith("not evaluated: "), len(warning) <= 256) == (True, True, True)
