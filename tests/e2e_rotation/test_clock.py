"""Clocks of nodes jump under writes: nothing that API servers would deny is served, since their clock is asked."""

from collections.abc import Callable

import pytest

from tests.clusters import MOVED
from tests.e2e_chart.release import Release
from tests.e2e_controller.permissions import NAMESPACE
from tests.e2e_controller.release import LEASE
from tests.e2e_rotation.load import Served, under_load
from webhook.objects import at

pytestmark = pytest.mark.cluster

DAYS = 86400
BACK, PAST_THE_CA = -6 * DAYS, 300 * DAYS


def test_a_clock_that_jumps_changes_nothing_since_the_api_servers_counts(site: Release) -> None:
    clock = site.site.clock
    try:
        with site.installed({"image": {"tag": MOVED}}) as release:
            with under_load(release) as load:
                pods = release.ready_pods
                leader = str(at(release.read(LEASE), "spec", "holderIdentity")).partition("_")[0]
                (other,) = pods.keys() - {leader}
                for which, seconds in [(name, jump) for name in (leader, other) for jump in (BACK, PAST_THE_CA)]:
                    clock.move(seconds, which)
                    load.writers.go_on(150)
                    assert release.ready_pods == pods, (which, seconds)
                    clock.put_right()
                    load.writers.go_on(50)
            assert len(load.ca_names) == 1
            clock.move(6 * DAYS)
            with under_load(release) as load:
                for old in sorted(pods):
                    site.cluster.kubectl("delete", "pod", old, "-n", NAMESPACE, "--wait=false")
                    load.await_served(f"leaf of two replicas without {old}", has_replaced(old))
    finally:
        clock.put_right()


def has_replaced(old: str) -> Callable[[Served], bool]:
    """Return whether two replicas are ready of which none is that one."""
    return lambda served: len(served) == 2 and old not in served
