"""What is no AdmissionReview is a bad call: HTTP 400, and a Status that says what is wrong."""

import json
from functools import partial

import pytest

from tests.admission.client import Webhook, changed
from tests.build import Object, disk, review, vm
from webhook.server.app import MOST_BYTES

GOOD = review(vm(disk("good")))
UPDATE = review(vm(disk("good")), vm(), "UPDATE")


def encoded(body: object) -> bytes:
    return json.dumps(body).encode()


BAD_BODIES = {
    "empty": (b"", "the body is empty"),
    "not JSON": (b"{nope", "the body is not JSON"),
    "not UTF-8": (b'{"kind": "\xff\xfe"}', "the body is not JSON"),
    "nested too deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "the body is not JSON"),
    "a number that nobody can hold": (b'{"a": %s}' % (b"9" * 5000), "the body is not JSON"),
    "a list": (encoded([GOOD]), "not an AdmissionReview"),
    "another kind": (encoded({**GOOD, "kind": "Pod"}), "not an AdmissionReview"),
    "an older version": (encoded({**GOOD, "apiVersion": "admission.k8s.io/v1beta1"}), "not of admission.k8s.io/v1"),
    "no request": (encoded({**GOOD, "request": None}), "has no request"),
    "no uid": (encoded(changed(GOOD, uid=None)), "has no uid"),
    "uid a number": (encoded(changed(GOOD, uid=7)), "has no uid"),
    "no operation": (encoded(changed(GOOD, operation=None)), "has no operation"),
    "no resource": (encoded(changed(GOOD, resource=None)), "has no resource"),
    "CREATE without object": (encoded(changed(GOOD, object=None)), "CREATE without its objects"),
    "UPDATE without object": (encoded(changed(UPDATE, object=None)), "UPDATE without its objects"),
    "UPDATE without old object": (encoded(changed(UPDATE, oldObject=None)), "UPDATE without its objects"),
    "old object a string": (encoded(changed(UPDATE, oldObject="x")), "oldObject is not an object"),
}


@pytest.mark.parametrize(("body", "complaint"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_body_that_is_no_review_is_a_bad_request_with_the_reason(body: bytes, complaint: str) -> None:
    answer = Webhook().post("/validate", body)
    status = answer.get_json()
    assert complaint in status.pop("message")
    assert status == {"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "BadRequest", "code": 400}
    assert answer.status_code == 400


def test_a_bad_body_is_denied_on_both_paths_without_being_repeated() -> None:
    for path in ("/validate", "/mutate"):
        answer = Webhook().post(path, b'{"password": "hunter2"' + b"x" * 10_000)
        assert (answer.status_code, b"hunter2" in answer.data, len(answer.data) < 500) == (400, False, True)


def test_a_body_over_the_limit_or_cut_off_is_a_bad_request_without_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    length = {"CONTENT_LENGTH": "1000"}
    post = partial(Webhook().client.post, "/validate", content_type="application/json")
    for answer, why in (
        (post(data=b" " * (10 << 20)), f"larger than {MOST_BYTES >> 20} MiB"),
        (post(data=b"{", environ_overrides=length), "body is incomplete"),
    ):
        assert (answer.status_code, why in answer.get_json()["message"], caplog.records) == (400, True, [])


def test_the_largest_review_that_kube_apiserver_sends_is_read() -> None:
    vm_object = vm(disk("good"))
    vm_object["metadata"]["annotations"] = {"padding": "x" * (3 << 20)}
    assert Webhook().validate(review(vm_object, vm_object, "UPDATE"))["allowed"] is True


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/yaml"])
def test_another_content_type_is_a_counted_bad_request_that_names_it(content_type: str | None) -> None:
    webhook = Webhook()
    answer = webhook.post("/validate", GOOD, content_type)
    named = f"Content-Type must be application/json, not {content_type or 'absent'}"
    assert (answer.status_code, answer.get_json()["message"]) == (400, named)
    assert webhook.requests("/validate", "other", "other", "bad_request") == 1


def test_a_content_type_with_a_charset_is_json_too() -> None:
    assert Webhook().post("/validate", GOOD, "application/json; charset=utf-8").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "code"), [("GET", "/validate", 405), ("POST", "/livez", 405), ("GET", "/nowhere", 404)]
)
def test_a_wrong_path_or_method_is_answered_with_a_status(method: str, path: str, code: int) -> None:
    answer = Webhook().client.open(path, method=method)
    status: Object = answer.get_json()
    assert (answer.status_code, status["kind"], status["code"]) == (code, "Status", code)
