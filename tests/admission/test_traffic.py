"""Every request that a control plane sent while a user worked with KubeVirt is answered, and nothing gets stuck."""

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
PATHS = {"mutating": "/mutate", "validating": "/validate"}
WHAT_IS_EVALUATED = (
    ("metadata", "labels"),
    ("spec", "template"),
    ("spec", "dataVolumeTemplates"),
    ("spec", "volumes"),
    ("spec", "evictionStrategy"),
    ("status", "volumeRequests"),
)


@dataclass(frozen=True)
class Call:
    """A recorded request and our answer to it."""

    step: str
    path: str
    request: Object
    http_status: int
    response: Object

    @property
    def outcome(self) -> str:
        """What became of it, in a word."""
        if self.http_status != 200 or "response" not in self.response:
            return "error"
        if not self.response["response"]["allowed"]:
            return "denied"
        return "patched" if "patch" in self.response["response"] else "allowed"

    @property
    def label(self) -> str:
        """Who asked what."""
        resource = "/".join(filter(None, (self.request["resource"]["resource"], self.request.get("subResource"))))
        user = self.request["userInfo"]["username"].rpartition(":")[2]
        return f"{self.step}: {self.request['operation']} {resource} by {user}"

    @property
    def changes_what_is_evaluated(self) -> bool:
        """Whether it changes anything that a rule looks at."""
        old, new = self.request["oldObject"], self.request["object"]
        return old is None or any(at(old, *path) != at(new, *path) for path in WHAT_IS_EVALUATED)


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    file = RECORDED / "reviews.jsonl.gz"
    if not file.is_file():
        pytest.skip("the recorded traffic is not beside this checkout, in ../shared/traffic")
    webhook = Webhook(read_path(RECORDED / "cluster.yaml"))
    found = []
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for recorded in map(json.loads, lines):
            path = PATHS[recorded["webhook"]]
            answer = webhook.post(f"{path}?{recorded['timeout']}", recorded["review"])
            request = recorded["review"]["request"]
            found.append(Call(recorded["step"], path, request, answer.status_code, answer.get_json()))
    return found


def test_every_recorded_request_is_decided(calls: list[Call], report: Report) -> None:
    report(f"recorded traffic: {len(calls)} requests")
    for (path, outcome), count in sorted(Counter((call.path, call.outcome) for call in calls).items()):
        report(f"  {path:9} {outcome:8} {count}")
    assert [call.label for call in calls if call.outcome == "error"] == []
    assert all(call.response["response"]["uid"] == call.request["uid"] for call in calls)


def test_what_leaves_volumes_template_and_labels_as_they_were_is_never_denied(calls: list[Call]) -> None:
    denied = [call for call in calls if call.outcome == "denied"]
    assert [call.label for call in denied if not call.changes_what_is_evaluated] == []
    assert denied, "the recording holds bad VMs, so something must be denied"


def test_no_deletion_is_denied_or_patched(calls: list[Call]) -> None:
    assert {call.outcome for call in calls if call.request["operation"] == "DELETE"} == {"allowed"}


def test_no_running_vm_is_patched(calls: list[Call]) -> None:
    patched = [call.request for call in calls if call.outcome == "patched"]
    assert [request for request in patched if at(request["object"], "status", "created") is True] == []


def test_no_vmi_that_kubevirt_creates_for_its_vm_is_denied(calls: list[Call]) -> None:
    instances = [
        call
        for call in calls
        if (call.request["resource"]["resource"], call.request["operation"]) == ("virtualmachineinstances", "CREATE")
        and call.request["userInfo"]["username"].endswith(":kubevirt-controller")
    ]
    assert instances
    assert [call.label for call in instances if call.outcome == "denied"] == []


def test_every_denial_names_a_field_that_the_request_holds(calls: list[Call]) -> None:
    fields = {field for call in calls if call.outcome == "denied" for field, _ in causes(call.response["response"])}
    assert fields
    assert all(field.startswith(("spec.", "status.volumeRequests")) for field in fields)
