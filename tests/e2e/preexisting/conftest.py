"""A cluster that had VMs before it had the webhook."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import pytest

from tests.build_paths import KUBEVIRT
from tests.clusters import DEFINITIONS, Clusters, furnish
from tests.e2e.preexisting.api import Api
from tests.e2e.preexisting.violators import CLAIMS, FAULTS, USERS, VM, Kind, make
from tests.localcluster.installation import Installation


class Site(NamedTuple):
    """The cluster: pre-existing violators to work with, and as many to make worse."""

    api: Api
    installation: Installation
    working: list[VM]
    samples: list[VM]


@pytest.fixture(scope="package", params=DEFINITIONS)
def site(request: pytest.FixtureRequest, clusters: Clusters) -> Iterator[Site]:
    """The cluster with the webhook in force, and VMs that are older."""
    cluster = clusters.clean(request.param)
    furnish(cluster, *CLAIMS, KUBEVIRT, users=USERS)
    with Api(cluster) as api:
        fleets = _fleet(api, "working"), _fleet(api, "sample")
        with Installation(cluster) as installation:
            yield Site(api, installation, *fleets)


def _fleet(api: Api, name: str) -> list[VM]:
    """Make a VM of every kind with every fault."""
    return api.all(lambda row: make(api, *row[1], f"{name}-{row[0]}"), enumerate(product(Kind, FAULTS)))
