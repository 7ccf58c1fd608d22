"""Clocks of nodes jump under writes: what is due is done at once, and nothing that API servers would refuse is served.

The API server's clock is right all the time.
"""

from collections.abc import Iterator

import pytest

from tests.e2e_controller.release import LEASE, await_that
from tests.e2e_rotation.conftest import MOVED, Site
from tests.e2e_rotation.release import Release, all_of_others
from webhook.objects import at

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

MINUTES, HOURS = 60, 3600


@pytest.fixture(autouse=True)
def right(site: Site) -> Iterator[None]:
    """Put all clocks right afterwards."""
    yield
    site.clock.put_right()


def test_renewals_that_came_due_while_nodes_slept_are_made_when_they_wake(site: Site) -> None:
    """When the clocks are right again, both certificates have five minutes left and are past their renewal."""
    site.clock.move(-40 * MINUTES)
    values = {"image": {"tag": MOVED}, "certificates": {"caLifetime": "46m", "leafLifetime": "45m"}}
    with site.released(values) as release, release.load() as load:
        before = release.look(load)
        site.clock.move(0)
        release.await_served(load, all_of_others(before), "leaf of the next authority from both replicas")
    assert len(load.authorities) == 2


@pytest.fixture(scope="module")
def release(site: Site) -> Iterator[Release]:
    """A release with the lifetimes of the chart."""
    with site.released({"image": {"tag": MOVED}}) as found:
        yield found


def test_a_leader_whose_clock_is_set_back_by_hours_makes_an_authority_that_all_others_accept_too(
    site: Site, release: Release
) -> None:
    """By its clock, all that is there begins in the future."""
    with release.load() as load:
        before = release.look(load)
        site.clock.move(-3 * HOURS, leader_of(release))
        release.await_served(load, all_of_others(before), "leaf of another authority from both replicas")
        site.clock.put_right()
        load.writers.go_on(200)
        assert len(release.replicas()) == 2
    assert len(load.authorities) == 2


def test_another_replica_whose_clock_is_set_back_by_hours_is_left_out_until_it_is_right(
    site: Site, release: Release
) -> None:
    """It can sign nothing that is valid by its clock: the authority begins later."""
    with release.load() as load:
        leader = leader_of(release)
        (other,) = release.replicas().keys() - {leader}
        site.clock.move(-6 * HOURS, other)
        await_that(lambda: release.replicas().keys() == {leader}, "replica that is not ready")
        load.writers.go_on(100)
        site.clock.put_right()
        await_that(lambda: release.replicas().keys() == {leader, other}, "replica that is ready again")
    assert len(load.authorities) == 1


def leader_of(release: Release) -> str:
    """Return the name of the replica that leads."""
    identity: str = at(release.read(LEASE), "spec", "holderIdentity")
    return identity.partition("_")[0]
