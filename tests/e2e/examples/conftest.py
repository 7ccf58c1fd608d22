"""The webhook installed on a real API server, with the examples' PVCs and classes in it."""

from collections.abc import Iterator

import pytest

from tests.clusters import DEFINITIONS, Clusters, furnish
from tests.demo import EXAMPLES, USER
from tests.e2e.admission.conftest import Site
from tests.localcluster.installation import Installation
from webhook.cluster.files import read_path


@pytest.fixture(scope="package", params=DEFINITIONS)
def site(request: pytest.FixtureRequest, clusters: Clusters) -> Iterator[Site]:
    """The cluster as its users have it."""
    running = clusters.clean(request.param)
    furnish(running, *read_path(EXAMPLES / "cluster"), users=(USER,))
    with Installation(running) as installation:
        yield Site(installation)
