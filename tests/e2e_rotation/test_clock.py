"""Clocks of nodes jump under writes: nothing that API servers would deny is served, since their clock is asked."""

from collections.abc import Callable, Iterator

import pytest

from tests.clusters import MOVED
from tests.e2e_controller.permissions import NAMESPACE
from tests.e2e_controller.release import LEASE
from tests.e2e_rotation.conftest import Site
from tests.e2e_rotation.release import Release, Served
from webhook.objects import at

pytestmark = pytest.mark.cluster

MINUTES, HOURS, DAYS = 60, 3600, 86400


@pytest.fixture(autouse=True)
def right(site: Site) -> Iterator[None]:
    """Put all clocks right afterwards."""
    yield
    site.clock.put_right()


@pytest.fixture(scope="module")
def release(site: Site) -> Iterator[Release]:
    """A release with the lifetimes of the chart."""
    with site.released({"image": {"tag": MOVED}}) as found:
        yield found


JUMPS = [
    ("back by three hours", -3 * HOURS),
    ("back by days", -6 * DAYS),
    ("ahead past the renewal of the leaf", 6 * DAYS),
    ("ahead past the renewal of the CA", 300 * DAYS),
]


@pytest.mark.parametrize("which", ["the leader", "the other replica"])
@pytest.mark.parametrize("seconds", [row[1] for row in JUMPS], ids=[row[0] for row in JUMPS])
def test_a_clock_that_jumps_changes_nothing_since_the_api_servers_counts(
    site: Site, release: Release, seconds: float, which: str
) -> None:
    with release.load() as load:
        leader = leader_of(release)
        (other,) = release.replicas().keys() - {leader}
        site.clock.move(seconds, leader if which == "the leader" else other)
        load.writers.go_on(150)
        assert release.replicas().keys() == {leader, other}
        site.clock.put_right()
        load.writers.go_on(50)
    assert len(load.ca_certificates) == 1


def test_a_replica_that_starts_with_a_wrong_clock_serves_a_certificate_that_is_valid_now(
    site: Site, release: Release
) -> None:
    site.clock.move(6 * DAYS)
    with release.load() as load:
        for old in sorted(release.replicas()):
            site.cluster.kubectl("delete", "pod", old, "-n", NAMESPACE, "--wait=false")
            release.await_served(load, has_replaced(old), f"two replicas without {old}")


def has_replaced(old: str) -> Callable[[Served], bool]:
    """Return whether two replicas are ready of which none is that one."""
    return lambda served: len(served) == 2 and old not in served


def leader_of(release: Release) -> str:
    """Return the name of the replica that leads."""
    identity: str = at(release.read(LEASE), "spec", "holderIdentity")
    return identity.partition("_")[0]
