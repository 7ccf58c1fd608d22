"""The recording in ../shared/traffic: of a control plane with KubeVirt and CDI, and a webhook that only looked on."""

import gzip
import json
from collections.abc import Iterator

from tests.admission.test_traffic_paths import DENIED, RECORDED
from tests.build import Object
from tests.recording.model import Recording, Write
from webhook.cluster.files import read_path
from webhook.objects import at

RETRIED = "VMI create by virt-controller denied"


def shared_traffic() -> Recording | None:
    """Return the recording, or None where it is not beside this checkout.

    It holds a write as the mutating and as the validating side were asked about it; a write that was lost to another
    one was asked about on the mutating side alone, or there once more.
    """
    file = RECORDED / "reviews.jsonl.gz"
    if not file.is_file():
        return None
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        asked = [json.loads(line) for line in lines]
    return Recording(list(read_path(RECORDED / "cluster.yaml")), list(_writes(asked)), DENIED, RETRIED)


def _writes(asked: list[Object]) -> Iterator[Write]:
    validated = [_content(recorded) for recorded in asked if recorded["webhook"] == "validating"]
    for recorded in asked:
        request = recorded["review"]["request"]
        obj, old = request.get("object"), request.get("oldObject")
        is_late = bool(obj and old) and at(obj, "metadata", "resourceVersion") != at(old, "metadata", "resourceVersion")
        if recorded["webhook"] == "mutating" and (not is_late or _content(recorded) in validated):
            continue
        group, version, resource = (request["resource"][key] for key in ("group", "version", "resource"))
        user, groups = request["userInfo"]["username"], tuple(request["userInfo"]["groups"])
        what = (request["operation"], group, version, resource, request.get("subResource", ""))
        yield Write(recorded["step"], user, groups, *what, obj, old, is_late)


def _content(recorded: Object) -> Object:
    """What somebody wrote, the same however often and wherever the API server asks about it."""
    request = recorded["review"]["request"]
    obj = request.get("object") or {"metadata": {}}
    metadata = {key: value for key, value in obj["metadata"].items() if key not in ("managedFields", "generation")}
    what = ("operation", "resource", "subResource", "userInfo")
    return {**{key: request.get(key) for key in what}, "object": {**obj, "metadata": metadata}}
