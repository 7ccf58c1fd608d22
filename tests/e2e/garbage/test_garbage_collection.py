"""With the ClusterRole of a release all goes that the webhook made, also where nobody calls a hook."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters import Clusters
from tests.e2e_controller.conftest import prepare
from tests.e2e_controller.permissions import owner_role
from tests.e2e_controller.release import (
    CA_SECRET,
    LEASE,
    MUTATING,
    OWNER_ROLE,
    VALIDATING,
    Release,
    await_that,
    released,
)
from tests.localcluster import LocalCluster
from webhook.objects import at

pytestmark = pytest.mark.cluster
ALL = (VALIDATING, MUTATING, LEASE, CA_SECRET)


@pytest.fixture(scope="module")
def cluster(clusters: Clusters) -> LocalCluster:
    """A control plane with its controllers, of which one collects garbage."""
    running = clusters.with_nodes().cluster
    prepare(running)
    return running


@pytest.fixture
def installed(cluster: LocalCluster, tmp_path: Path) -> Iterator[Release]:
    """A release with one replica, in force."""
    with released(cluster, tmp_path) as found:
        found.start()
        found.await_in_force()
        yield found


def test_nothing_is_left_without_the_cluster_role_and_all_comes_back_with_another(installed: Release) -> None:
    (replica,) = installed.replicas
    installed.delete(OWNER_ROLE)
    await_that(lambda: not any(installed.read(path) for path in ALL), "end of all that it owned")
    installed.await_log(replica, "is not there; nothing is registered without it")
    assert replica.is_ready
    assert not installed.denies
    installed.make(owner_role())
    installed.await_in_force()
    uid = at(installed.read(OWNER_ROLE), "metadata", "uid")
    assert [_owner(installed, path) for path in ALL] == [uid] * len(ALL)


def test_a_cluster_role_that_is_made_again_becomes_the_owner(installed: Release) -> None:
    """Anyone who replaces it by force leaves the webhook configurations without a live owner for a moment."""
    ca = installed.ca
    installed.delete(OWNER_ROLE)
    installed.make(owner_role())
    uid = at(installed.read(OWNER_ROLE), "metadata", "uid")
    await_that(lambda: [_owner(installed, path) for path in ALL] == [uid] * len(ALL), "new owner")
    installed.await_in_force()
    assert installed.ca == ca


def test_nothing_is_left_although_every_replica_is_dead(installed: Release) -> None:
    installed.replicas[0].kill()
    installed.delete(OWNER_ROLE)
    await_that(lambda: not any(installed.read(path) for path in ALL), "end of all that it owned")
    assert not installed.denies


def _owner(release: Release, path: str) -> str | None:
    references = at(release.read(path), "metadata", "ownerReferences")
    return references[0]["uid"] if references else None
