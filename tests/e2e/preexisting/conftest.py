"""A cluster that had VMs before it had the webhook."""

from collections.abc import Iterator

import pytest

from tests.build_paths import KUBEVIRT
from tests.clusters import KUBEVIRTS, OURS, Clusters, furnish
from tests.e2e.preexisting.api import Api
from tests.e2e.preexisting.fleet import EVERY_SORT, old_violators
from tests.e2e.preexisting.violators import CLAIMS, USERS
from tests.localcluster import LocalCluster
from tests.localcluster.installation import Installation

SIZES = (
    pytest.param((50, OURS), id="50 old violators"),
    pytest.param((200, KUBEVIRTS), id="200 by KubeVirt's definitions", marks=pytest.mark.cluster),
)


class Site:
    """The cluster: old violators to work with, others to work with in an outage, and one of every sort to make worse.

    All of them are older than the webhook's webhook configuration.
    """

    def __init__(self, cluster: LocalCluster, api: Api, count: int) -> None:
        """Make the violators in a cluster without the webhook."""
        self.api = api
        self.installation = Installation(cluster)
        self.working = old_violators(api, "working", count)
        self.in_outage = old_violators(api, "outage", count)
        self.samples = old_violators(api, "sample", len(EVERY_SORT))


@pytest.fixture(scope="package", params=SIZES)
def site(request: pytest.FixtureRequest, clusters: Clusters) -> Iterator[Site]:
    """The cluster, the webhook registered and in force."""
    count, which = request.param
    cluster = clusters.clean(which)
    furnish(cluster, *CLAIMS, KUBEVIRT, users=USERS)
    cluster.kubectl("create", "serviceaccount", "default", "-n", "vms")
    with Api(cluster) as api:
        found = Site(cluster, api, count)
        with found.installation:
            yield found
