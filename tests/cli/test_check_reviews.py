"""migratability check on an AdmissionReview: evaluated as the webhook would evaluate the request."""

import json

import pytest

from tests.build import CLUSTER, Object, disk, review, vm, vmi, volume_request
from tests.build_paths import CONTROLLER, known_as, owned
from tests.cli.conftest import Check, Write
from webhook.admission.change import read_change
from webhook.admission.evaluate import evaluate_change
from webhook.admission.review import parse_review
from webhook.cluster import Snapshot
from webhook.settings import Settings

GOOD, BAD = vm(disk("good"), name="good-one"), vm(disk("once"), name="bad-one")


def written(write: Write, review_: Object) -> str:
    return write("r.json", text=json.dumps(review_))


def test_review_supplies_namespace_and_name_that_the_object_lacks(write: Write, check: Check) -> None:
    request = review(vm(disk("once"), name="x"))
    request["request"]["object"]["metadata"] = {}
    (found,) = check(written(write, request), "-o", "json").verdicts
    assert (found["namespace"], found["name"], found["allowed"]) == ("vms", "x", False)


@pytest.mark.parametrize("fields", [{"request": {}}, {"apiVersion": "admission.k8s.io/v1beta1"}], ids=repr)
def test_incomplete_review_or_one_of_another_version_is_bad_input(fields: Object, write: Write, check: Check) -> None:
    done = check(written(write, {**review(GOOD), **fields}))
    assert (done.status, "r.json" in done.err) == (2, True)


def test_reviews_of_another_kind_and_of_a_deletion_are_skipped(write: Write, check: Check) -> None:
    other = review(GOOD)
    other["request"]["resource"] = {"group": "", "version": "v1", "resource": "pods"}
    for found, resource in ((other, "pods"), (review(None, BAD, "DELETE"), "virtualmachines")):
        done = check(written(write, found))
        assert (done.status, f"skipped: review of {resource} in " in done.err) == (0, True)


OWNER = known_as(vm(disk("once")))
OWNED = owned(vmi(disk("once")), OWNER)
DELETED = {**BAD, "metadata": {**BAD["metadata"], "deletionTimestamp": "2026-11-24T18:59:28Z"}}
WORSE = vm(disk("once"), disk("san-fs"), name="bad-one")
HALTED = {**BAD, "spec": {**BAD["spec"], "runStrategy": "Halted"}}
REQUESTING = vm(disk("good"), name="good-one", status={"volumeRequests": [volume_request(disk("once", "hot"))]})
REQUESTS: dict[str, tuple[Object, int]] = {
    "creation by a user": (review(BAD), 1),
    "creation by a user, migratable": (review(GOOD), 0),
    "VMI of an owner that exists": (review(OWNED, user=CONTROLLER), 0),
    "VMI of an owner, migratable": (review(owned(vmi(disk("good")), OWNER), user=CONTROLLER), 0),
    "VMI that only claims an owner": (review(OWNED, user="mallory"), 1),
    "update, migratable": (review({**GOOD, "status": {"created": True}}, GOOD, "UPDATE"), 0),
    "update that adds a violation": (review(BAD, GOOD, "UPDATE"), 1),
    "update that fixes one of two": (review(BAD, WORSE, "UPDATE"), 0),
    "update that leaves one": (review({**BAD, "status": {}}, BAD, "UPDATE"), 0),
    "update of what no rule reads": (review(HALTED, BAD, "UPDATE"), 0),
    "update of a VM that is being deleted": (review(DELETED, {**GOOD, "metadata": DELETED["metadata"]}, "UPDATE"), 0),
    "hot-plug request": (review(REQUESTING, GOOD, "UPDATE", subresource="status"), 1),
    "status without a hot-plug request": (review(BAD, GOOD, "UPDATE", subresource="status"), 0),
}


@pytest.mark.parametrize(("request_", "status"), REQUESTS.values(), ids=REQUESTS)
def test_request_is_evaluated_as_the_webhook_evaluates_it(
    request_: Object, status: int, write: Write, check: Check
) -> None:
    done = check(written(write, request_), "-o", "json", cluster=write("all.yaml", *CLUSTER, OWNER))
    assert done.status == status
    change = read_change(parse_review(request_))
    assert change is not None
    verdict = evaluate_change(change, Snapshot((*CLUSTER, OWNER)), Settings(), final=False) or change.nothing_found
    assert done.verdicts == [json.loads(json.dumps(verdict.to_dict()))]


def test_reviews_and_vms_are_shown_in_the_order_of_the_input_also_inside_a_list(write: Write, check: Check) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [review(BAD)]}
    done = check(write("z.yaml", GOOD, listed), write("a.yaml", vm(name="last")), "-o", "json")
    assert (done.status, [found["name"] for found in done.verdicts]) == (1, ["good-one", "bad-one", "last"])
