"""One cluster with nodes for all tests of the chart, and the release that they share as long as none removes it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build import CLASSES
from tests.demo import EXAMPLES, USER
from tests.documentation import CHART, ROOT
from tests.e2e_chart.site import Site
from tests.e2e_old.violators import CLAIMS, USERS
from tests.localcluster import Image, LocalCluster, Nodes, crd_folders
from tests.localcluster.installation import apply
from tests.workloads import eventually
from webhook.cluster.files import read_path

NEXT = "0.99.0"
"""Another version of the webhook."""
NEXT_TIMEOUT = 9
"""By which its registrations are told from ours."""


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The cluster with the examples' and other claims, users, and nodes that know another version too."""
    image = _next_version(tmp_path_factory.mktemp("next"))
    with LocalCluster(crds=crd_folders(), controllers=True) as cluster, Nodes(cluster, images={NEXT: image}) as nodes:
        for namespace in ("vms", "trident", "kubevirt"):
            cluster.kubectl("create", "namespace", namespace)
        room = {"resources": {"requests": {"storage": "1Gi"}}}
        claims = [{**claim, "spec": {**claim["spec"], **room}} for claim in CLAIMS]
        classes = [{**found, "metadata": {"name": found["metadata"]["name"]}} for found in CLASSES]
        apply(cluster, [*read_path(EXAMPLES / "cluster"), *classes, *claims])
        users = [f"--user={user}" for user in {USER, *USERS}]
        cluster.kubectl("create", "clusterrolebinding", "users", "--clusterrole=cluster-admin", *users)
        yield Site(cluster, nodes)


@pytest.fixture
def bare(site: Site) -> Site:
    """The cluster without the webhook and without machines."""
    if site.is_installed:
        site.uninstall("--no-hooks")
    eventually("nothing of the webhook is left", lambda: site.left_over == [])
    site.cluster.kubectl("delete", "virtualmachines", "--all", "-n", "vms")
    return site


@pytest.fixture
def release(site: Site) -> Site:
    """The cluster with the webhook in force; whoever changes that puts it back."""
    site.have_release()
    return site


@pytest.fixture(scope="package")
def next_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart of the other version."""
    chart = tmp_path_factory.mktemp("chart") / CHART.name
    shutil.copytree(CHART, chart)
    about = chart / "Chart.yaml"
    lines = about.read_text().splitlines()
    about.write_text("\n".join(f"appVersion: {NEXT}" if line.startswith("appVersion:") else line for line in lines))
    return chart


def _next_version(folder: Path) -> Image:
    """A copy of the checkout whose registrations have another timeout."""
    for package in ("webhook", "certs"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    registrations = folder / "webhook/controller/registrations.py"
    ours = registrations.read_text()
    theirs = ours.replace("TIMEOUT_SECONDS = 10", f"TIMEOUT_SECONDS = {NEXT_TIMEOUT}")
    assert theirs != ours
    registrations.write_text(theirs)
    return Image(folder)
