"""What a user did with KubeVirt, replayed: a bad disk is denied where its user sees it, all else is admitted."""

import copy
import gzip
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonpatch
import pytest

from tests.admission.client import Webhook
from tests.beside import beside
from tests.build import Object
from tests.build_paths import Rights
from tests.conftest import Report
from webhook.admission.handler import mutate, validate
from webhook.admission.review import Request, parse_review
from webhook.cluster.files import read_path
from webhook.settings import Settings

SPECS: dict[str, tuple[str, ...]] = {
    "VirtualMachine": ("spec", "template", "spec"),
    "VirtualMachineInstance": ("spec",),
    "VirtualMachineInstanceReplicaSet": ("spec", "template", "spec"),
    "VirtualMachinePool": ("spec", "virtualMachineTemplate", "spec", "template", "spec"),
}
HOT_PLUG = ("virtualmachines/status", "kubevirt-apiserver")
ONCE, SAN = ("data-rwo", "shared-access"), ("data-sanfs", "san-block")
DENIED = [
    ("virtctl addvolume of an RWO claim on a halted VM (HotplugVolumes)", *HOT_PLUG, *ONCE),
    ("virtctl addvolume on a running VM (HotplugVolumes)", *HOT_PLUG, *ONCE),
    *[("clean-up between steps", *HOT_PLUG, *SAN)] * 3,
    ("running VM: virtctl addvolume --persist of an RWO claim (HotplugVolumes)", *HOT_PLUG, *ONCE),
    ("bare2 running VMI: virtctl addvolume", "virtualmachineinstances", "kubevirt-apiserver", *ONCE),
    ("declarative: virtctl addvolume of an RWO claim", "virtualmachines", "kubevirt-apiserver", *ONCE),
    (
        "volume migration: updateVolumesStrategy Migration, RWX to RWO",
        *("virtualmachines", "alice", "data-rwo2", "shared-access"),
    ),
]
"""Each denial that is due: what the user did, what was written by whom, the PVC, the rule."""


def recording() -> Path:
    """Return the folder of the recorded traffic; skips without it."""
    return beside("traffic", "test_every_path makes each of KubeVirt's writes once")


def fixed_objects() -> list[Object]:
    """Return what was there all the time; skips without the recording."""
    return list(read_path(recording() / "cluster.yaml"))


def asked() -> list[Object]:
    """Return each recorded review, with what the user did; skips without the recording."""
    with gzip.open(recording() / "reviews.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@dataclass(frozen=True)
class Step:
    """A recorded request and our response."""

    number: int
    what: str
    request: Request
    response: Object
    patch: list[Object]

    @property
    def resource(self) -> str:
        return "/".join(filter(None, (self.request.resource, self.request.subresource)))

    @property
    def user(self) -> str:
        return self.request.user.rpartition(":")[2]

    @property
    def causes(self) -> list[str]:
        return [cause["message"] for cause in self.response.get("status", {}).get("details", {}).get("causes", [])]


class World:
    """The objects that are there, as the recording goes on; the administrator has every right."""

    def __init__(self) -> None:
        self.fixed, self.live = fixed_objects(), dict[tuple[str, str], Object]()

    def cluster(self) -> Rights:
        return Rights((*self.fixed, *self.live.values()), may=("admin",))

    def went_on(self, request: Request) -> None:
        """Keep what a request wrote: the recording's webhook admitted it."""
        shown = request.obj or request.old or {}
        key = (str(shown.get("kind")), request.name or str(shown["metadata"].get("name")))
        if request.operation == "DELETE":
            self.live.pop(key, None)
        elif request.obj is not None:
            self.live[key] = request.obj


def patched(obj: Object | None) -> Object | None:
    """Return a VM as it would be stored had our mutating side been there."""
    if obj is None or obj.get("kind") not in SPECS:
        return obj
    found = copy.deepcopy(obj)
    spec: Any = found
    for key in SPECS[found["kind"]]:
        spec = spec[key]
    spec["evictionStrategy"] = "LiveMigrate"
    return found


def with_annotations(request: Request, cluster: Rights) -> Request:
    """Return a request as it would come had our mutating side annotated its object."""
    if request.obj is None:
        return request
    _, verdict = mutate(request, cluster, Settings(), 10.0)
    return replace(request, obj=jsonpatch.apply_patch(request.obj, verdict.annotation_patch if verdict else []))


def recorded(*sides: str) -> Iterator[tuple[int, Object]]:
    """Return the recorded reviews of the validating, the mutating or both sides, each with its number."""
    return ((number, line) for number, line in enumerate(asked()) if line["webhook"] in sides)


@pytest.fixture(scope="module")
def validated() -> list[Step]:
    world, found = World(), []
    for number, line in recorded("validating"):
        review, content = line["review"], line["review"]["request"]
        content = {**content, "object": patched(content["object"]), "oldObject": patched(content["oldObject"])}
        request = with_annotations(parse_review({**review, "request": content}), world.cluster())
        response, _ = validate(request, world.cluster(), Settings(), 10.0)
        found.append(Step(number, line["step"], request, response.body["response"], []))
        world.went_on(request)
    return found


@pytest.fixture(scope="module")
def mutated() -> list[Step]:
    world, found = World(), []
    for number, line in recorded("mutating"):
        request = parse_review(line["review"])
        response, verdict = mutate(request, world.cluster(), Settings(), 10.0)
        offered = verdict.patch if verdict and "patch" in response.body["response"] else []
        found.append(Step(number, line["step"], request, response.body["response"], offered))
        world.went_on(request)
    return found


def test_every_recorded_request_is_decided_over_http_and_no_deletion_is_denied_or_patched() -> None:
    webhook, deletions = Webhook(fixed_objects()), 0
    for _, line in recorded("mutating", "validating"):
        path = {"mutating": "/mutate", "validating": "/validate"}[line["webhook"]]
        answer, request = webhook.post(f"{path}?{line['timeout']}", line["review"]), line["review"]["request"]
        assert (answer.status_code, answer.get_json()["response"]["uid"]) == (200, request["uid"]), line["step"]
        if request["operation"] == "DELETE":
            deletions += 1
            assert answer.get_json()["response"].keys() == {"uid", "allowed"}
    assert deletions > 0


def denials(steps: list[Step]) -> list[tuple[str, str, str, str, str]]:
    """Return what was denied, in the order of the recording."""
    found = []
    for step in steps:
        for cause in step.causes:
            name, rule = cause.split('PVC "')[1].partition('"')[0], cause.rpartition("[")[2].rstrip("]")
            found.append((step.what, step.resource, step.user, name, rule))
    return found


def test_exactly_the_bad_disks_are_denied_where_their_user_sees_it(validated: list[Step], report: Report) -> None:
    for what, steps in itertools.groupby(validated, key=lambda step: step.what):
        answered = list(steps)
        denied = [step for step in answered if not step.response["allowed"]]
        report(f"{what}: {len(answered)} requests, {len(denied)} denied")
        for step in denied:
            report(f"  {step.number} {step.request.operation} {step.resource} by {step.user}: {step.causes[0]}")
    assert denials(validated) == DENIED
    said = [step.response["status"] for step in validated if not step.response["allowed"]]
    assert all(row[3] in status["message"] for row, status in zip(DENIED, said, strict=True))
    fields = [cause["field"] for status in said for cause in status["details"]["causes"]]
    assert all(field.startswith(("spec.", "status.volumeRequests")) for field in fields)


def test_no_restore_or_clone_of_a_good_vm_is_denied_or_warned_of(validated: list[Step]) -> None:
    found = [step for step in validated if step.request.resource in ("virtualmachinerestores", "virtualmachineclones")]
    assert {step.request.operation for step in found} == {"CREATE", "UPDATE", "DELETE"}
    assert "admin" in {step.request.user for step in found}
    assert [step.number for step in found if not step.response["allowed"]] == []
    (made,) = [step for step in found if step.resource == "virtualmachineclones" and step.user == "admin"]
    assert "warnings" not in made.response


def test_every_vm_that_is_created_gets_live_migrate_and_nothing_is_denied(mutated: list[Step]) -> None:
    assert [step.number for step in mutated if not step.response["allowed"]] == []
    created = [(step, step.request.obj or {}) for step in mutated if step.request.operation == "CREATE"]
    vms = [(step, obj["kind"]) for step, obj in created if obj.get("kind") in SPECS]
    assert {kind for _, kind in vms} == set(SPECS)
    for step, kind in vms:
        path = "/".join(("", *SPECS[kind], "evictionStrategy"))
        assert step.patch[0] == {"op": "add", "path": path, "value": "LiveMigrate"}, step.number


def test_nothing_else_is_patched_but_the_template_of_a_halted_vm(mutated: list[Step]) -> None:
    others = [step for step in mutated if step.patch and step.request.operation != "CREATE"]
    assert others
    for step in others:
        obj, old = step.request.obj or {}, step.request.old or {}
        assert (obj["kind"], step.request.subresource) == ("VirtualMachine", "")
        assert not obj.get("status", {}).get("created")
        assert obj["spec"]["template"] != old["spec"]["template"]
