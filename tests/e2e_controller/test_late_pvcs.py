"""PVCs that appear after their VM: the leader clears the names of good ones and records Events for bad ones."""

import itertools
import json

import pytest

from tests.build import RWO, RWX, Object
from tests.e2e.admission.conftest import started, stored, unverified_by, vm
from tests.e2e_controller.permissions import permission
from tests.e2e_controller.release import KUBEVIRTS_NAMESPACE, VMS, Release
from tests.localcluster.installation import apply
from tests.workloads import eventually
from webhook.cluster.api import ApiError
from webhook.controller.late_pvcs import _unless_changed
from webhook.objects import at

CONTROLLER = f"system:serviceaccount:{KUBEVIRTS_NAMESPACE}:kubevirt-controller"
NUMBERS = itertools.count()


def waiting(release: Release) -> tuple[str, str]:
    """Store a VM whose PVC does not exist; return the path of the VM, and the PVC's name."""
    name = f"waiting-{next(NUMBERS)}"
    path = f"{VMS}/{name}"
    apply(release.cluster, [vm(f"later-{name}", name=name)])
    assert unverified_by(release.read(path)) == [f"claim/later-{name}"] * 2
    return path, f"later-{name}"


def await_cleared(release: Release, path: str) -> None:
    """Return when a VM is verified."""
    eventually("the VM is verified", lambda: unverified_by(release.read(path)) == [None, None])


def events(release: Release, path: str) -> list[Object]:
    """Return our Events on a VM."""
    field = f"--field-selector=involvedObject.name={path.rpartition('/')[2]},reason=NotLiveMigratable"
    found = json.loads(release.cluster.kubectl("get", "events", "-n", "vms", field, "-o", "json").stdout)
    return list(found["items"])


def test_a_late_pvc_verifies_its_vm_or_gets_it_one_event_and_no_other_vm_is_written(installed: Release) -> None:
    verified = f"{VMS}/verified"
    apply(installed.cluster, [vm("good", name="verified")])
    before = at(installed.read(verified), "metadata", "resourceVersion")
    bad, name = waiting(installed)
    apply(installed.cluster, [stored(name, RWO)])
    (event,) = eventually("Event", lambda: events(installed, bad))
    uid = at(installed.read(bad), "metadata", "uid")
    assert (event["type"], event["involvedObject"]["uid"]) == ("Warning", uid)
    assert f'PVC "{name}" is ReadWriteOnce, not ReadWriteMany' in event["message"]
    assert "Use another PVC, with accessModes [ReadWriteMany]" in event["message"]
    assert event["message"].endswith("[shared-access]")
    good, late = waiting(installed)
    apply(installed.cluster, [stored(late, RWX, mode="Filesystem")])
    await_cleared(installed, good)
    assert unverified_by(installed.read(bad)) == [f"claim/{name}"] * 2
    assert [len(events(installed, path)) for path in (good, bad)] == [0, 1]
    assert at(installed.read(verified), "metadata", "resourceVersion") == before


def test_a_vm_that_was_changed_meanwhile_is_a_conflict(installed: Release) -> None:
    path, _ = waiting(installed)
    before = installed.read(path)
    assert before
    label = {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}
    installed.api.patch(path, [_unless_changed(before), label])
    with pytest.raises(ApiError) as raised:
        installed.api.patch(path, [_unless_changed(before), label])
    assert raised.value.status == 409


def test_a_verified_vm_starts_while_no_replica_runs_and_an_unverified_one_does_not(installed: Release) -> None:
    path, good = waiting(installed)
    unverified, absent = waiting(installed)
    apply(installed.cluster, [stored(good, RWX, mode="Filesystem")])
    await_cleared(installed, path)
    everything = {"apiGroups": ["kubevirt.io"], "resources": ["*"], "verbs": ["*"]}
    apply(installed.cluster, permission("ClusterRole", {}, [everything], CONTROLLER))
    (replica,) = installed.replicas
    installed.stop(replica)
    try:
        assert starts(installed, path, good)
        assert not starts(installed, unverified, absent)
    finally:
        installed.start()
        installed.await_in_force()


def starts(release: Release, path: str, claim: str) -> bool:
    """Return whether kubevirt-controller can create the VMI of a VM."""
    owner = release.read(path)
    assert owner
    instance = json.dumps(started(owner, claim))
    done = release.cluster.kubectl("create", "-f", "-", stdin=instance, user=CONTROLLER, check=False)
    assert done.returncode == 0 or "failed calling webhook" in done.stderr
    return done.returncode == 0
