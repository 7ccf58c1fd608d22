"""PVCs that appear after their VM: the leader clears the names of good ones and records Events for bad ones."""

import pytest

from tests.build import RWO, RWX, Object
from tests.e2e.admission.conftest import NAMES, stored, unverified_by, vm
from tests.e2e_controller.release import VMS, Release
from tests.eventually import eventually
from tests.localcluster.installation import apply
from webhook.cluster.api import ApiError
from webhook.controller.late_pvcs import _unless_changed
from webhook.objects import at


def waiting(release: Release) -> tuple[str, str]:
    """Store a VM whose PVC does not exist; return the path of the VM, and the PVC's name."""
    name = next(NAMES)
    path = f"{VMS}/{name}"
    apply(release.cluster, [vm(f"later-{name}", name=name)])
    assert unverified_by(release.read(path)) == [f"claim/later-{name}"] * 2
    return path, f"later-{name}"


def events(release: Release, path: str) -> list[Object]:
    """Return our Events on a VM."""
    selector = f"involvedObject.name={path.rpartition('/')[2]},reason=NotLiveMigratable"
    return list(release.api.list("/api/v1/namespaces/vms/events", {"fieldSelector": selector}))


def test_a_late_pvc_verifies_its_vm_or_gets_it_one_event_and_no_other_vm_is_written(installed: Release) -> None:
    verified = f"{VMS}/verified"
    apply(installed.cluster, [vm("good", name="verified")])
    before = at(installed.read(verified), "metadata", "resourceVersion")
    bad, name = waiting(installed)
    apply(installed.cluster, [stored(name, RWO)])
    (event,) = eventually("Event", lambda: events(installed, bad))
    assert event["type"] == "Warning"
    assert event["involvedObject"]["uid"] == at(installed.read(bad), "metadata", "uid")
    assert event["message"].endswith("[shared-access]")
    good, late = waiting(installed)
    apply(installed.cluster, [stored(late, RWX, mode="Filesystem")])
    eventually("the VM is verified", lambda: unverified_by(installed.read(good)) == [None, None])
    assert unverified_by(installed.read(bad)) == [f"claim/{name}"] * 2
    assert [len(events(installed, path)) for path in (good, bad)] == [0, 1]
    assert at(installed.read(verified), "metadata", "resourceVersion") == before


def test_a_vm_that_was_changed_meanwhile_is_a_conflict(installed: Release) -> None:
    path, _ = waiting(installed)
    before = installed.read(path) or {}
    label = {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}
    installed.api.patch(path, [_unless_changed(before), label])
    with pytest.raises(ApiError) as raised:
        installed.api.patch(path, [_unless_changed(before), label])
    assert raised.value.status == 409
