"""A cluster that had VMs before it had the webhook."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.build_paths import KUBEVIRT
from tests.clusters import DEFINITIONS, Clusters, furnish
from tests.e2e.preexisting.api import Api
from tests.e2e.preexisting.fleet import Fleet
from tests.e2e.preexisting.violators import CLAIMS, USERS
from tests.localcluster.installation import Installation


class Site(NamedTuple):
    """The cluster: pre-existing violators to work with, and as many to make worse."""

    api: Api
    installation: Installation
    working: Fleet
    samples: Fleet


@pytest.fixture(scope="package", params=DEFINITIONS)
def site(request: pytest.FixtureRequest, clusters: Clusters) -> Iterator[Site]:
    """The cluster with the webhook in force."""
    cluster = clusters.clean(request.param)
    furnish(cluster, *CLAIMS, KUBEVIRT, users=USERS)
    with Api(cluster) as api:
        fleets = Fleet(api, "working"), Fleet(api, "sample")
        with Installation(cluster) as installation:
            yield Site(api, installation, *fleets)
