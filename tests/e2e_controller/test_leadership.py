"""The leadership passes on at once where its holder ends in peace."""

from tests.e2e_controller.release import LEASE, Release, await_that
from webhook.objects import at


def test_a_replica_that_ends_gives_its_leadership_back(release: Release) -> None:
    """It is not ready, so nobody's open connection keeps its process for a while."""
    release.forbid("storageclasses")
    replica = release.start()
    await_that(lambda: replica.is_leader, "leader")
    release.stop(replica)
    release.allow()
    assert at(release.read(LEASE), "spec", "holderIdentity") == ""
