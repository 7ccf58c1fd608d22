"""A control plane with claims for machines, and what a release of the webhook needs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build import CLASSES, RWO, RWX
from tests.build_paths import KUBEVIRT
from tests.e2e_controller.release import Release, released
from tests.e2e_paths.conftest import stored
from tests.localcluster import LocalCluster, crd_folders
from tests.localcluster.installation import apply


@pytest.fixture(scope="package")
def cluster() -> Iterator[LocalCluster]:
    """A control plane with a good and a bad claim."""
    with LocalCluster(crds=crd_folders()) as running:
        prepare(running)
        yield running


def prepare(running: LocalCluster) -> None:
    """Make namespaces, classes and claims."""
    for namespace in ("vms", "trident", "kubevirt"):
        running.kubectl("create", "namespace", namespace)
    classes = [{**found, "metadata": {"name": found["metadata"]["name"]}} for found in CLASSES]
    apply(running, [*classes, stored("good", RWX, mode="Filesystem"), stored("once", RWO), KUBEVIRT])


@pytest.fixture
def release(cluster: LocalCluster, tmp_path: Path) -> Iterator[Release]:
    """A release without replicas."""
    with released(cluster, tmp_path) as found:
        yield found
