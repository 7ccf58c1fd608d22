"""A control plane with PVCs for VMs, and releases of the webhook on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build import RWO, RWX, claim, kubevirt
from tests.clusters import Clusters, furnish
from tests.e2e_controller.release import KUBEVIRTS_NAMESPACE, Release, released
from tests.localcluster import LocalCluster


@pytest.fixture(scope="package")
def cluster(clusters: Clusters) -> LocalCluster:
    """A control plane with a good and a bad PVC."""
    running = clusters.clean()
    cr = {**kubevirt(), "metadata": {"name": "kubevirt", "namespace": KUBEVIRTS_NAMESPACE}}
    pvcs = (claim("good", RWX, mode="Filesystem"), claim("once", RWO))
    furnish(running, *pvcs, cr, kubevirts_namespace=KUBEVIRTS_NAMESPACE)
    return running


@pytest.fixture
def release(cluster: LocalCluster, tmp_path: Path) -> Iterator[Release]:
    """A release of the test's own, without replicas."""
    with released(cluster, tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def installed(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """A release with one replica, in force, for all tests of a file."""
    with released(cluster, tmp_path_factory.mktemp("release")) as found:
        found.start()
        found.await_in_force()
        yield found
