"""The recording in ../shared/traffic: of a control plane with KubeVirt and CDI, and a webhook that only looked on."""

import gzip
import json
from collections.abc import Iterator

from tests.admission.test_traffic_paths import RECORDED, REFUSED
from tests.build import Object
from tests.recording.model import Recording, Write
from webhook.cluster.files import read_path
from webhook.objects import at

RETRIED = "VMI create by virt-controller refused"


def shared_traffic() -> Recording | None:
    """Return the recording, or None where it is not beside this checkout.

    It holds a write as the mutating and as the validating side were asked about it. One that was lost to another write
    was never asked about on the validating side.
    """
    file = RECORDED / "reviews.jsonl.gz"
    if not file.is_file():
        return None
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        asked = [json.loads(line) for line in lines]
    return Recording(list(read_path(RECORDED / "cluster.yaml")), list(_writes(asked)), REFUSED, RETRIED)


def _writes(asked: list[Object]) -> Iterator[Write]:
    for recorded in asked:
        request = recorded["review"]["request"]
        obj, old = request.get("object"), request.get("oldObject")
        is_late = bool(obj and old) and at(obj, "metadata", "resourceVersion") != at(old, "metadata", "resourceVersion")
        if recorded["webhook"] != "validating" and not is_late:
            continue
        group, version, resource = (request["resource"][key] for key in ("group", "version", "resource"))
        user, groups = request["userInfo"]["username"], tuple(request["userInfo"]["groups"])
        what = (request["operation"], group, version, resource, request.get("subResource", ""))
        yield Write(recorded["step"], user, groups, *what, obj, old, is_late)
