"""What an operator sees of the webhook: one line for each denial, and metrics that exist before anything happens."""

import json
import logging

import pytest

from tests.admission.client import Webhook
from tests.build import Object, disk, review, vm, volume_request
from webhook.policy.rules import RULES
from webhook.server.logs import JsonFormatter
from webhook.server.metrics import OUTCOMES, PATHS

SECRET = "hunter2"
SEEDED = {"name": "seed", "cloudInitNoCloud": {"userData": f"#cloud-config\npassword: {SECRET}\n"}}
VIOLATIONS = "migratability_violations_total"


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [JsonFormatter().format(record) for record in caplog.records]


@pytest.fixture(autouse=True)
def _every_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_a_denial_is_one_line_that_says_who_what_and_why(caplog: pytest.LogCaptureFixture) -> None:
    Webhook().validate(review(vm(disk("once"), disk("san-fs"), disk("absent"))))
    (line,) = lines(caplog)
    assert "\n" not in line
    said = json.loads(line)
    said.pop("time")
    assert said == {
        "level": "info",
        "message": "denied",
        "uid": "11111111-2222-3333-4444-555555555555",
        "user": "alice",
        "operation": "CREATE",
        "resource": "virtualmachines",
        "namespace": "vms",
        "name": "db",
        "rules": ["san-block", "shared-access"],
    }


EVE = 'eve\n{"level": "info"}'
HOT_PLUG = vm(disk("good"), status={"volumeRequests": [volume_request(disk("once"))]})
NAMELESS = {**vm(disk("once")), "metadata": {"generateName": "db-"}}
CALLED = {
    "a status write by its subresource": (
        review(HOT_PLUG, vm(disk("good")), "UPDATE", subresource="status"),
        ("resource", "virtualmachines/status"),
    ),
    "a VM without a name by its generateName": (review(NAMELESS), ("name", "db-")),
    "a user with a line break": (review(vm(disk("once")), user=EVE), ("user", EVE)),
}


@pytest.mark.parametrize(("request_", "field"), CALLED.values(), ids=CALLED)
def test_what_is_denied_is_logged_on_one_line_by_its_name(
    caplog: pytest.LogCaptureFixture, request_: Object, field: tuple[str, str]
) -> None:
    Webhook().validate(request_)
    (line,) = lines(caplog)
    assert ("\n" in line, json.loads(line)[field[0]]) == (False, field[1])


def test_no_line_holds_anything_of_the_objects_content(caplog: pytest.LogCaptureFixture) -> None:
    webhook, request = Webhook(), review(vm(disk("once"), SEEDED))
    webhook.validate(request)
    webhook.post("/validate", json.dumps(request).encode()[:-1])
    assert len(lines(caplog)) == 1
    assert SECRET not in caplog.text + "".join(lines(caplog))


def test_what_is_admitted_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    for request in (review(vm(disk("good"))), review(vm(disk("absent"))), review(None, vm(disk("once")), "DELETE")):
        Webhook().validate(request)
    assert lines(caplog) == []


def test_every_series_is_shown_at_zero_before_the_first_request() -> None:
    webhook = Webhook()
    requests = {
        webhook.requests(path, operation, resource, outcome)
        for path in PATHS
        for resource in ("virtualmachines", "virtualmachineinstances")
        for operation in ("CREATE", "UPDATE")
        for outcome in OUTCOMES
    }
    counts = {webhook.metric("migratability_admission_request_duration_seconds_count", path=path) for path in PATHS}
    actions = ("deny", "warn", "pre-existing")
    violations = {webhook.metric(VIOLATIONS, rule=rule.name, result=action) for rule in RULES for action in actions}
    assert requests == counts == violations == {0}


def test_the_age_of_each_cache_is_shown() -> None:
    webhook, ages = Webhook(), {"nodes": 1.5, "storageclasses": 90.0}
    webhook.state.cache_ages = ages
    assert {name: webhook.metric("migratability_cache_age_seconds", resource=name) for name in ages} == ages


def test_the_leader_and_the_expiry_of_the_certificate_are_shown_where_they_are_known() -> None:
    webhook = Webhook()
    leader, expiry = "migratability_leader_election_master_status", "migratability_certificate_expiry_timestamp_seconds"
    assert webhook.metric(leader) is None
    webhook.state.figures = {leader: 1.0, expiry: 1893456000.0}
    assert (webhook.metric(leader), webhook.metric(expiry)) == (1.0, 1893456000.0)


def test_each_request_counts_once_by_its_outcome() -> None:
    webhook = Webhook()
    good, bad = review(vm(disk("good"))), review(vm(disk("once")))
    for request in (good, bad, bad):
        webhook.validate(request)
    webhook.mutate(good)
    due = {("/validate", "allowed"): 1, ("/validate", "denied"): 2, ("/mutate", "patched"): 1}
    assert {(path, of): webhook.requests(path, "CREATE", "virtualmachines", of) for path, of in due} == due
    assert webhook.metric("migratability_admission_request_duration_seconds_count", path="/validate") == 3


def test_a_violation_counts_by_what_became_of_it_and_only_on_the_validating_side() -> None:
    webhook = Webhook()
    webhook.mutate(review(vm(disk("once"))))
    webhook.validate(review(vm(disk("once"), disk("absent"))))
    denied = webhook.validate(review(vm(disk("san-fs"), disk("once")), vm(disk("once")), "UPDATE"))
    assert "once" not in denied["status"]["message"]
    shown = {
        (rule, action): webhook.metric(VIOLATIONS, rule=rule, result=action)
        for rule in ("shared-access", "san-block", "claim-known")
        for action in ("deny", "warn", "pre-existing")
    }
    assert {key: value for key, value in shown.items() if value} == {
        ("shared-access", "deny"): 1,
        ("shared-access", "pre-existing"): 1,
        ("san-block", "deny"): 1,
        ("claim-known", "warn"): 1,
    }


def test_names_that_anybody_may_choose_make_no_new_series() -> None:
    webhook = Webhook()
    for number in range(3):
        request = review(vm())
        request["request"] |= {"operation": f"X{number}", "resource": {"group": "x", "resource": f"r{number}"}}
        webhook.validate(request)
    assert webhook.requests("/validate", "other", "other", "allowed") == 3
