"""What an operator sees of the webhook: one line a denial, and metrics that are there before anything happens."""

import json
import logging

import pytest

from tests.admission.client import Webhook
from tests.build import Object, disk, review, vm
from webhook.policy.rules import RULES
from webhook.server.logs import JsonFormatter
from webhook.server.metrics import OUTCOMES, PATHS

SECRET = "hunter2"
SEEDED = {"name": "seed", "cloudInitNoCloud": {"userData": f"#cloud-config\npassword: {SECRET}\n"}}
RESOURCES = ("virtualmachines", "virtualmachineinstances")


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


def test_a_denied_status_write_is_called_by_its_subresource(caplog: pytest.LogCaptureFixture) -> None:
    request = {"addVolumeOptions": {"name": "once", "volumeSource": {"persistentVolumeClaim": {"claimName": "once"}}}}
    asked = vm(disk("good"), status={"volumeRequests": [request]})
    Webhook().validate(review(asked, vm(disk("good")), "UPDATE", subresource="status"))
    (line,) = lines(caplog)
    assert json.loads(line)["resource"] == "virtualmachines/status"


def test_a_vm_without_a_name_yet_is_called_by_what_it_will_begin_with(caplog: pytest.LogCaptureFixture) -> None:
    vm_object = vm(disk("once"))
    vm_object["metadata"] = {"generateName": "db-"}
    Webhook().validate(review(vm_object))
    (line,) = lines(caplog)
    assert json.loads(line)["name"] == "db-"


def test_no_line_holds_anything_of_the_objects_content(caplog: pytest.LogCaptureFixture) -> None:
    webhook = Webhook()
    vm_object = vm(disk("once"), SEEDED)
    webhook.validate(review(vm_object))
    webhook.post("/validate", json.dumps(review(vm_object)).encode()[:-1])
    assert len(lines(caplog)) == 1
    assert SECRET not in caplog.text + "".join(lines(caplog))


@pytest.mark.parametrize(
    "request_",
    [review(vm(disk("good"))), review(vm(disk("absent"))), review(None, vm(disk("once")), "DELETE")],
    ids=["good", "warned", "deleted"],
)
def test_what_is_admitted_is_not_logged(caplog: pytest.LogCaptureFixture, request_: Object) -> None:
    Webhook().validate(request_)
    assert lines(caplog) == []


def test_a_name_with_a_line_break_stays_on_the_line(caplog: pytest.LogCaptureFixture) -> None:
    request = review(vm(disk("once")), user='eve\n{"level": "info"}')
    Webhook().validate(request)
    (line,) = lines(caplog)
    assert "\n" not in line
    assert json.loads(line)["user"] == 'eve\n{"level": "info"}'


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_every_outcome_is_shown_at_zero_before_the_first_request(path: str, resource: str, operation: str) -> None:
    webhook = Webhook()
    assert [webhook.requests(path, operation, resource, outcome) for outcome in OUTCOMES] == [0] * len(OUTCOMES)
    assert webhook.metric("migratability_admission_request_duration_seconds_count", path=path) == 0


@pytest.mark.parametrize("action", ["deny", "warn", "pre-existing", "exempt"])
def test_every_rule_is_shown_at_zero_before_the_first_request(action: str) -> None:
    webhook = Webhook()
    name = "migratability_violations_total"
    assert {webhook.metric(name, rule=rule.name, result=action) for rule in RULES} == {0}


def test_the_age_of_each_cache_is_shown() -> None:
    webhook = Webhook()
    webhook.state.cache_ages = {"nodes": 1.5, "storageclasses": 90.0}
    assert webhook.metric("migratability_cache_age_seconds", resource="nodes") == 1.5
    assert webhook.metric("migratability_cache_age_seconds", resource="storageclasses") == 90.0


def test_who_leads_and_when_the_certificate_ends_is_shown_where_it_is_known() -> None:
    webhook = Webhook()
    leader, expiry = "migratability_leader_election_master_status", "migratability_certificate_expiry_timestamp_seconds"
    assert webhook.metric(leader) is None
    webhook.state.figures = {leader: 1.0, expiry: 1893456000.0}
    assert (webhook.metric(leader), webhook.metric(expiry)) == (1.0, 1893456000.0)


def test_each_request_counts_once_by_its_outcome() -> None:
    webhook = Webhook()
    good, bad = vm(disk("good")), vm(disk("once"))
    webhook.validate(review(good))
    webhook.validate(review(bad))
    webhook.validate(review(bad))
    webhook.mutate(review(good))
    shown = [
        webhook.requests("/validate", "CREATE", "virtualmachines", outcome) for outcome in ("allowed", "denied")
    ] + [webhook.requests("/mutate", "CREATE", "virtualmachines", "patched")]
    assert shown == [1, 2, 1]
    assert webhook.metric("migratability_admission_request_duration_seconds_count", path="/validate") == 3


def test_a_violation_counts_by_what_became_of_it_and_only_on_the_validating_side() -> None:
    webhook = Webhook()
    webhook.mutate(review(vm(disk("once"))))
    webhook.validate(review(vm(disk("once"), disk("absent"))))
    webhook.validate(review(vm(disk("once"), disk("san-fs")), vm(disk("once")), "UPDATE"))
    name = "migratability_violations_total"
    shown = {
        (rule, action): webhook.metric(name, rule=rule, result=action)
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
