"""Clocks of nodes jump under writes: what is due is done at once, and nothing that API servers would refuse is served.

The API server's clock is right all the time.
"""

from collections.abc import Iterator

import pytest

from tests.e2e_controller.release import CA, LEASE, await_that
from tests.e2e_rotation.conftest import MOVED, Site
from tests.e2e_rotation.release import Release
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

        def renewed() -> bool:
            served = release.look(load)
            return all(served[name].issuer != leaf.issuer for name, leaf in before.items())

        await_that(renewed, "leaf of the next authority from both replicas")
    assert len(load.authorities) == 2


@pytest.mark.parametrize("leads", [True, False], ids=["the leader's", "another's"])
def test_a_clock_that_is_set_back_by_hours_and_put_right_costs_nothing(site: Site, leads: bool) -> None:
    with site.released({"image": {"tag": MOVED}}) as release, release.load() as load:
        release.look(load)
        leader = leader_of(release)
        (replica,) = (name for name in release.replicas() if (name == leader) == leads)
        site.clock.move(-3 * HOURS, replica)
        await_that(lambda: "begins" in release.nodes.logs(replica), "x")
