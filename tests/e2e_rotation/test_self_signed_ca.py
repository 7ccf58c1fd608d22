"""Our own CA and its leaves are renewed under writes: none fails, and none passes without an evaluation."""

import pytest

from tests.e2e_chart.release import Release
from tests.e2e_controller.release import CA_SECRET
from tests.e2e_rotation.load import issuers, under_load
from tests.eventually import eventually
from webhook.objects import at

pytestmark = pytest.mark.cluster

SHORT = {"certificates": {"caLifetime": "72s", "leafLifetime": "24s"}}


def test_two_cas_follow_the_first_and_a_replica_that_joins_before_the_next_one_signs_serves_its_leaf(
    site: Release,
) -> None:
    with site.installed({**SHORT, "replicaCount": 1}) as release, under_load(release) as load:
        before = issuers(load.look())
        eventually("the next CA waits to sign", lambda: at(release.read(CA_SECRET), "data", "next.crt"))
        release.upgrade({**SHORT, "replicaCount": 2})
        load.await_served(
            "leaf of the next CA from both replicas", lambda served: len(served) == 2 and not issuers(served) & before
        )
        load.await_served("third CA", lambda served: len(load.ca_names) > 2 and len(issuers(served)) == 1)
        assert len(release.ready_pods) == 2
