"""A cluster that had VMs before it had the webhook."""

from collections.abc import Iterator

import pytest

from tests.build_paths import KUBEVIRT
from tests.clusters import DEFINITIONS, Clusters, furnish
from tests.e2e.preexisting.api import Api
from tests.e2e.preexisting.fleet import Fleet
from tests.e2e.preexisting.violators import CLAIMS, USERS
from tests.localcluster import LocalCluster
from tests.localcluster.installation import Installation


class Site:
    """The cluster: pre-existing violators to work with, and as many to make worse."""

    def __init__(self, cluster: LocalCluster, api: Api) -> None:
        """Make the violators in a cluster without the webhook."""
        self.api = api
        self.installation = Installation(cluster)
        self.working, self.samples = Fleet(api, "working"), Fleet(api, "sample")


@pytest.fixture(scope="package", params=DEFINITIONS)
def site(request: pytest.FixtureRequest, clusters: Clusters) -> Iterator[Site]:
    """The cluster with the webhook in force."""
    cluster = clusters.clean(request.param)
    furnish(cluster, *CLAIMS, KUBEVIRT, users=USERS)
    with Api(cluster) as api:
        found = Site(cluster, api)
        with found.installation:
            yield found
