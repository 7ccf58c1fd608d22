"""After `helm uninstall` nothing of the webhook is left, and every VM is admitted."""

import pytest

from tests.conftest import Report
from tests.e2e_chart.release import Release
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.e2e_controller.release import CA_SECRET, LEASE, MUTATING, OWNER_ROLE, VALIDATING
from tests.eventually import eventually
from tests.writers import Writers, sound
from webhook.objects import at

pytestmark = pytest.mark.cluster
OWNED = (VALIDATING, MUTATING, LEASE, CA_SECRET)


def test_nothing_is_left_without_the_cluster_role_and_an_upgrade_restores_it_all(release: Release) -> None:
    pods = release.ready_pods
    release.api.delete(OWNER_ROLE)
    eventually("all that it owned is gone", lambda: not any(map(release.read, OWNED)))
    assert release.answer("once") == ""
    assert release.ready_pods == pods
    release.upgrade()
    release.await_in_force()
    uid = at(release.read(OWNER_ROLE), "metadata", "uid")
    owners = [at(release.read(path), "metadata", "ownerReferences") for path in OWNED]
    assert [[owner["uid"] for owner in found] for found in owners] == [[uid]] * len(OWNED)


def test_nothing_is_left_and_no_write_fails(release: Release, report: Report) -> None:
    assert release.labelled
    with Writers(release.cluster, sound) as writers:
        writers.go_on()
        release.uninstall()
        writers.go_on()
    report(f"helm uninstall: {writers.tally}")
    assert writers.losses == []
    await_nothing_left(release)


def test_nothing_is_left_when_every_pod_was_already_dead(release: Release) -> None:
    release.cluster.kubectl("scale", f"deployment/{NAME}", "--replicas=0", "-n", NAMESPACE)
    release.await_no_pods()
    assert "failed calling webhook" in release.answer("good")
    release.uninstall()
    await_nothing_left(release)


def await_nothing_left(release: Release) -> None:
    """Return when nothing of the release is there, labels included, and every VM is admitted."""
    eventually("all that the webhook made is gone", lambda: release.left_over == [])
    eventually("a bad VM is admitted", lambda: release.answer("once") == "")
    assert release.labelled == []
