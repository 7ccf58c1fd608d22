"""A Secret that is lost with all who knew it, and one that is somebody else's."""

import pytest

from tests.e2e_controller.release import CA_SECRET, VALIDATING, Release, await_that


@pytest.mark.cluster
def test_an_ca_that_is_lost_with_all_replicas_is_followed_by_another(release: Release) -> None:
    """Its leaf is served, and the replica ready, when the webhook configurations trust the new one."""
    first = release.start()
    release.await_in_force()
    before = release.ca
    bundle = str(release.read(VALIDATING))
    release.stop(first)
    release.delete(CA_SECRET)
    second = release.start()
    await_that(lambda: release.holds, "denial and patch")
    assert release.ca != before
    assert second.is_ready
    assert str(release.read(VALIDATING)) != bundle


@pytest.mark.cluster
def test_a_secret_of_somebody_elses_is_left_alone(release: Release) -> None:
    theirs = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": CA_SECRET.rpartition("/")[2], "namespace": "migratability"},
        "data": {"password": "c2VjcmV0"},
    }
    release.make(theirs)
    replica = release.start()
    release.await_log(replica, "it is not ours: delete it, or name another")
    await_that(lambda: "it is not ours" in replica.get("/readyz")[1], "the reason in /readyz")
    assert (release.read(CA_SECRET) or {})["data"] == theirs["data"]
    assert not release.read(VALIDATING)
    release.delete(CA_SECRET)
    release.await_in_force()
