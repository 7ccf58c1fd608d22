"""A cluster whose nodes run pods, without controllers, with PVCs for VMs, and releases of the webhook on it."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.build import RWO, RWX, claim, kubevirt
from tests.clusters import Clusters, furnish
from tests.e2e_controller.release import KUBEVIRTS_NAMESPACE, Release
from tests.localcluster import LocalCluster, Nodes


@pytest.fixture(scope="package")
def site(clusters: Clusters) -> Iterator[tuple[LocalCluster, Nodes]]:
    """The cluster with a good and a bad PVC."""
    cluster = clusters.clean()
    cr = {**kubevirt(), "metadata": {"name": "kubevirt", "namespace": KUBEVIRTS_NAMESPACE}}
    pvcs = (claim("good", RWX, mode="Filesystem"), claim("once", RWO))
    furnish(cluster, *pvcs, cr, kubevirts_namespace=KUBEVIRTS_NAMESPACE)
    with Nodes(cluster) as nodes:
        yield cluster, nodes


@pytest.fixture
def release(site: tuple[LocalCluster, Nodes]) -> Iterator[Release]:
    """A release of the test's own, without replicas."""
    with closing(Release(*site)) as found:
        yield found


@pytest.fixture(scope="module")
def installed(site: tuple[LocalCluster, Nodes]) -> Iterator[Release]:
    """A release with one replica, in force, for all tests of a file."""
    with closing(Release(*site)) as found:
        found.start()
        found.await_in_force()
        yield found
