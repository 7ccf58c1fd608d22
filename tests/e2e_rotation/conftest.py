"""A cluster with nodes, whose API server shows a client certificate to anyone who asks for one; releases of the chart."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.clusters import Clusters, WithNodes
from tests.e2e_controller.conftest import prepare
from tests.e2e_controller.permissions import NAMESPACE
from tests.e2e_rotation.release import Object, Release


class Site(WithNodes):
    """What the releases of all tests share."""

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
    return Site(**vars(found))
