"""One cluster with nodes for all tests of the chart, and the release that they share as long as none removes it."""

import pytest

from tests.clusters import Clusters, furnish
from tests.e2e.preexisting.violators import CLAIMS
from tests.e2e_chart.release import Release
from tests.e2e_controller.permissions import NAME


@pytest.fixture(scope="package")
def site(clusters: Clusters) -> Release:
    """The cluster with PVCs, and nodes that know another version too."""
    found = clusters.with_nodes()
    furnish(found.cluster, *CLAIMS)
    return Release(found)


@pytest.fixture
def release(site: Release) -> Release:
    """The chart installed with the values that all tests share, and in force."""
    if site.try_helm("status", NAME).returncode:
        site.install()
    elif site.values:
        site.upgrade()
    site.await_in_force()
    return site
