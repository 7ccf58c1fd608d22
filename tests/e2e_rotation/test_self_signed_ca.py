"""Our own CA and its leaves are renewed many times under writes: none fails, and none goes not evaluated."""

import pytest

from tests.e2e_controller.release import CA_SECRET, await_that
from tests.e2e_rotation.conftest import Site
from tests.e2e_rotation.release import Release, issuers

pytestmark = pytest.mark.cluster

SHORT = {"certificates": {"caLifetime": "72s", "leafLifetime": "24s"}}


def test_three_cas_and_eight_leaves_of_each_replica_are_followed_by_others(site: Site) -> None:
    with site.released(SHORT) as release, release.load() as load:
        release.await_served(
            load,
            lambda _: len(load.ca_certificates) > 3 and load.rotations >= 8,
            "three CAs and eight leaves",
            800,
        )
        assert len(release.replicas()) == 2


def test_a_second_replica_joins_while_the_next_ca_waits_to_sign(site: Site) -> None:
    with site.released({**SHORT, "replicaCount": 1}) as release, release.load() as load:
        before = issuers(release.look(load))
        await_that(lambda: is_waiting(release), "next CA", 300)
        release.upgrade({"replicaCount": 2})
        release.await_served(
            load,
            lambda served: len(served) == 2 and not issuers(served) & before,
            "leaf of the next CA from both replicas",
        )


def is_waiting(release: Release) -> bool:
    """Say whether there is a CA that is to be trusted before it signs."""
    return "next.crt" in (release.read(CA_SECRET) or {}).get("data", {})
