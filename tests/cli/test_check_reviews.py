"""migratability check on an AdmissionReview: evaluated as the webhook would evaluate the request."""

import json
from typing import Any

import pytest

from tests.build import CLUSTER, Object, disk, review, vm, vmi, volume_request
from tests.cli.conftest import Write
from webhook.admission.change import read_change
from webhook.admission.evaluate import evaluate_change
from webhook.admission.review import parse_review
from webhook.cli.main import main
from webhook.cluster import Snapshot
from webhook.settings import Settings

GOOD, BAD = vm(disk("good"), name="good-one"), vm(disk("once"), name="bad-one")
CONTROLLER = "system:serviceaccount:kubevirt:kubevirt-controller"
OTHER_CONTROLLER = "system:serviceaccount:elsewhere:kubevirt-controller"
NODE = "system:serviceaccount:kubevirt:kubevirt-handler"


def as_json(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    main(["check", *arguments, "-o", "json"])
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_a_review_is_evaluated_as_its_request(write: Write, cluster: list[str]) -> None:
    assert main(["check", *cluster, write("r.json", text=json.dumps(review(BAD)))]) == 1
    update = review(BAD, {**BAD, "metadata": {**BAD["metadata"], "labels": {"a": "b"}}}, "UPDATE")
    assert main(["check", *cluster, write("r.json", text=json.dumps(update))]) == 0


def test_a_review_of_an_update_is_patched_as_an_update(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    created, updated = review(GOOD), review({**GOOD, "status": {"created": True}}, GOOD, "UPDATE")
    patches = [
        as_json([*cluster, write("r.json", text=json.dumps(found))], capsys)[0]["patch"] for found in (created, updated)
    ]
    assert [len(patch) for patch in patches] == [1, 0]


def test_a_review_gives_namespace_and_name_that_the_object_lacks(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    request = review(vm(disk("once"), name="x"))
    request["request"]["object"]["metadata"] = {}
    (found,) = as_json([*cluster, write("r.json", text=json.dumps(request))], capsys)
    assert (found["namespace"], found["name"], found["allowed"]) == ("vms", "x", False)


@pytest.mark.parametrize(
    "request_", [None, {}, {"uid": "1", "operation": "CREATE", "resource": {"resource": "virtualmachines"}}], ids=repr
)
def test_a_review_without_its_parts_is_bad_input(
    request_: object, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request_}
    assert main(["check", write("r.json", text=json.dumps(found))]) == 2
    assert "r.json" in capsys.readouterr().err


def test_a_review_of_something_else_is_passed_over(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    found = review(GOOD)
    found["request"]["resource"] = {"group": "", "version": "v1", "resource": "pods"}
    assert main(["check", write("r.json", text=json.dumps(found))]) == 0
    assert "pods" in capsys.readouterr().err


def owned(controller: object = True) -> Object:
    """Return a VMI that says that a virtual VM owns it, and that could not migrate."""
    vm_object = vmi(disk("once"))
    owner = {"kind": "VirtualMachine", "name": "db", "uid": "1", "controller": controller}
    return {**vm_object, "metadata": {**vm_object["metadata"], "ownerReferences": [owner]}}


def gone() -> Object:
    """Return a VMI whose owner is no more: one of that name was made again."""
    vm_object = owned()
    vm_object["metadata"]["ownerReferences"][0]["uid"] = "0"
    return vm_object


OWNER = vm(disk("once"))
OWNER["metadata"]["uid"] = "1"


DELETED = {**BAD, "metadata": {**BAD["metadata"], "deletionTimestamp": "2026-11-24T18:59:28Z"}}
HALTED = {**BAD, "spec": {**BAD["spec"], "runStrategy": "Halted"}}
REQUESTING = vm(disk("good"), name="good-one", status={"volumeRequests": [volume_request(disk("once", "hot"))]})
REQUESTS: list[tuple[str, Object, int]] = [
    ("a user creates", review(BAD), 1),
    ("a user creates what can migrate", review(GOOD), 0),
    ("a VMI is made for an owner that is there", review(owned(), user=CONTROLLER), 0),
    ("a VMI is made for an owner that is not there", review(gone(), user=CONTROLLER), 1),
    ("a VMI that only says so", review(owned(), user="mallory"), 1),
    ("a VMI by another account of KubeVirt", review(owned(), user=NODE), 1),
    (
        "a VMI by the account of another KubeVirt",
        review(owned(), user=OTHER_CONTROLLER),
        1,
    ),
    ("a VMI without an owner", review(vmi(disk("once")), user=CONTROLLER), 1),
    ("a VMI whose owner does not control it", review(owned(False), user=CONTROLLER), 1),
    ("an update that brings a violation", review(BAD, GOOD, "UPDATE"), 1),
    ("an update that mends one", review(GOOD, BAD, "UPDATE"), 0),
    ("an update that leaves one", review({**BAD, "status": {}}, BAD, "UPDATE"), 0),
    ("an update of what no rule looks at", review(HALTED, BAD, "UPDATE"), 0),
    ("an update of what is being deleted", review(DELETED, {**GOOD, "metadata": DELETED["metadata"]}, "UPDATE"), 0),
    ("an update that only says so", review(DELETED, GOOD, "UPDATE"), 1),
    ("an owned VMI gets a bad disk", review(owned(), vmi(disk("good")), "UPDATE", user=CONTROLLER), 1),
    ("a disk is requested", review(REQUESTING, GOOD, "UPDATE", subresource="status"), 1),
    ("a status that requests none", review(BAD, GOOD, "UPDATE", subresource="status"), 0),
]


@pytest.mark.parametrize(("request_", "status"), [row[1:] for row in REQUESTS], ids=[row[0] for row in REQUESTS])
def test_a_request_is_evaluated_as_the_webhook_evaluates_it(
    request_: Object, status: int, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path, cluster = write("r.json", text=json.dumps(request_)), ["--cluster", write("all.yaml", *CLUSTER, OWNER)]
    assert main(["check", *cluster, path]) == status
    (found,) = as_json([*cluster, path], capsys)
    change = read_change(parse_review(request_))
    assert change is not None
    verdict = evaluate_change(change, Snapshot((*CLUSTER, OWNER)), Settings(), final=False) or change.nothing_found
    assert found == json.loads(json.dumps(verdict.to_dict()))


def test_an_owned_vmi_is_patched_as_the_webhook_patches_it(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    made = owned()
    made["spec"]["volumes"] = [disk("good")]
    (found,) = as_json([*cluster, write("r.json", text=json.dumps(review(made, user=CONTROLLER)))], capsys)
    assert [operation["value"] for operation in found["patch"]] == ["LiveMigrate"]


def test_a_deletion_has_nothing_to_evaluate(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = review(None, BAD, "DELETE")
    assert main(["check", *cluster, write("r.json", text=json.dumps(found))]) == 0
    assert "passed over" in capsys.readouterr().err


def test_reviews_and_vms_are_shown_in_the_order_of_the_input(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("several.yaml", GOOD, review(BAD), vm(name="last"))
    assert [verdict["name"] for verdict in as_json([*cluster, path], capsys)] == ["good-one", "bad-one", "last"]


def test_a_review_inside_a_list_is_evaluated(write: Write, cluster: list[str]) -> None:
    found = {"apiVersion": "v1", "kind": "List", "items": [review(BAD)]}
    assert main(["check", *cluster, write("l.json", text=json.dumps(found))]) == 1


@pytest.mark.parametrize("version", ["admission.k8s.io/v1beta1", "v1", None])
def test_a_review_of_another_version_is_bad_input(version: str | None, write: Write) -> None:
    found = {**review(GOOD), "apiVersion": version}
    assert main(["check", write("r.json", text=json.dumps(found))]) == 2
