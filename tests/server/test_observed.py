"""What the app counts and logs about a request, and its warning where there is no decision."""

import json
import logging

import pytest

from tests.admission.client import Broken, Webhook, changed
from tests.build import disk, review, vm
from webhook.cluster import Undecidable
from webhook.server.logs import JsonFormatter

GOOD = review(vm(disk("good")))
SERIES = {"path": "/validate", "operation": "CREATE", "resource": "virtualmachines", "result": "allowed"}


def test_dry_run_is_a_label_of_requests() -> None:
    webhook = Webhook()
    for request in (GOOD, changed(GOOD, dryRun=True), changed(GOOD, dryRun=False)):
        webhook.validate(request)
    name = "migratability_admission_requests_total"
    assert [webhook.metric(name, **SERIES, dry_run=value) for value in ("false", "true")] == [2, 1]


def test_undecided_request_is_logged_and_warned_of_in_mode_warn(caplog: pytest.LogCaptureFixture) -> None:
    response = Webhook(Broken(Undecidable("no word of it")), mode="warn").validate(GOOD)
    assert (response["allowed"], response["warnings"]) == (True, ["not evaluated: no word of it"])
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    fields = ("message", "user", "operation", "resource", "namespace", "name")
    line = json.loads(JsonFormatter().format(record))
    expected = "no decision: no word of it, alice, CREATE, virtualmachines, vms, db"
    assert ", ".join(line[field] for field in fields) == expected
