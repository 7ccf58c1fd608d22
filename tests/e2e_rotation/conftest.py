"""A cluster with nodes, whose API server shows a client certificate to whoever asks for one; releases of the chart."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.clusters import Clusters
from tests.e2e_controller.conftest import prepare
from tests.e2e_controller.permissions import NAMESPACE
from tests.e2e_rotation.clock import Clock
from tests.e2e_rotation.release import Object, Release
from tests.localcluster import LocalCluster, Nodes
from tests.localcluster.credentials import Authority


@dataclass(frozen=True)
class Site:
    """What the releases of all tests share."""

    cluster: LocalCluster
    nodes: Nodes
    clients: Authority
    """Signs the certificate that the API server shows when it calls webhooks."""
    clock: Clock

    @contextmanager
    def released(self, values: Object, *, complete: bool = True) -> Iterator[Release]:
        """Give a release; whatever is left of it goes afterwards."""
        release = Release(self.cluster, self.nodes)
        try:
            release.install(values, complete=complete)
            yield release
        finally:
            release.uninstall()


@pytest.fixture(scope="package")
def site(clusters: Clusters) -> Site:
    """The cluster, two nodes, and a namespace for releases."""
    found = clusters.with_nodes()
    prepare(found.cluster)
    found.cluster.kubectl("create", "namespace", NAMESPACE)
    return Site(found.cluster, found.nodes, found.clients, found.clock)
