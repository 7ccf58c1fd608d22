"""Every request that a control plane sent while a user worked with KubeVirt is answered, and blocks nothing."""

import gzip
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.admission.client import Webhook, causes
from tests.build import Object
from tests.conftest import Report
from webhook.cluster.files import read_path
from webhook.objects import at

RECORDED = Path(__file__).parents[3] / "shared" / "traffic"
EVALUATED = (
    ("metadata", "labels"),
    ("spec", "template"),
    ("spec", "dataVolumeTemplates"),
    ("spec", "volumes"),
    ("spec", "evictionStrategy"),
    ("status", "volumeRequests"),
)


@dataclass(frozen=True)
class Call:
    """A recorded request and our response to it."""

    path: str
    label: str
    request: Object
    outcome: str
    response: Object

    @property
    def changes_what_is_evaluated(self) -> bool:
        old, new = self.request["oldObject"], self.request["object"]
        return old is None or any(at(old, *path) != at(new, *path) for path in EVALUATED)


def call(webhook: Webhook, recorded: Object) -> Call:
    """Send a recorded review, and return it with what became of it."""
    path = {"mutating": "/mutate", "validating": "/validate"}[recorded["webhook"]]
    answer = webhook.post(f"{path}?{recorded['timeout']}", recorded["review"])
    request, response = recorded["review"]["request"], answer.get_json().get("response", {})
    outcome = "allowed" if response.get("allowed") else "denied"
    if answer.status_code != 200 or not response:
        outcome = "error"
    elif "patch" in response:
        outcome = "patched"
    resource = "/".join(filter(None, (request["resource"]["resource"], request.get("subResource"))))
    user = request["userInfo"]["username"].rpartition(":")[2]
    return Call(path, f"{recorded['step']}: {request['operation']} {resource} by {user}", request, outcome, response)


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    file = RECORDED / "reviews.jsonl.gz"
    if not file.is_file():
        pytest.skip("the recorded traffic is not beside this checkout, in ../shared/traffic")
    webhook = Webhook(read_path(RECORDED / "cluster.yaml"))
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [call(webhook, json.loads(line)) for line in lines]


def test_every_recorded_request_is_decided(calls: list[Call], report: Report) -> None:
    report(f"recorded traffic: {len(calls)} requests")
    for (path, outcome), count in sorted(Counter((call.path, call.outcome) for call in calls).items()):
        report(f"  {path:9} {outcome:8} {count}")
    assert [call.label for call in calls if call.outcome == "error"] == []
    assert all(call.response["uid"] == call.request["uid"] for call in calls)


def test_only_what_changes_volumes_template_or_labels_is_denied_at_a_field_that_it_holds(calls: list[Call]) -> None:
    denied = [call for call in calls if call.outcome == "denied"]
    assert denied, "the recording holds bad VMs, so something must be denied"
    assert [call.label for call in denied if not call.changes_what_is_evaluated] == []
    fields = {field for call in denied for field, _ in causes(call.response)}
    assert fields
    assert all(field.startswith(("spec.", "status.volumeRequests")) for field in fields)


def test_no_deletion_is_denied_or_patched(calls: list[Call]) -> None:
    assert {call.outcome for call in calls if call.request["operation"] == "DELETE"} == {"allowed"}
