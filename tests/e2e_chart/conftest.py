"""One cluster with nodes for all tests of the chart, and the release that they share as long as none removes it."""

import shutil
from pathlib import Path

import pytest

from tests.clusters import NEXT, Clusters, furnish
from tests.demo import EXAMPLES, USER
from tests.documentation import CHART
from tests.e2e.preexisting.violators import CLAIMS, USERS
from tests.e2e_chart.site import Site
from tests.workloads import eventually
from webhook.cluster.files import read_path


@pytest.fixture(scope="package")
def site(clusters: Clusters) -> Site:
    """The cluster with the examples' and other PVCs, users, and nodes that know another version too."""
    found = clusters.with_nodes()
    furnish(found.cluster, *read_path(EXAMPLES / "cluster"), *CLAIMS, users={USER, *USERS})
    return Site(found.cluster, found.nodes)


@pytest.fixture
def bare(site: Site) -> Site:
    """The cluster without the webhook and without VMs."""
    if site.is_installed:
        site.uninstall("--no-hooks")
    eventually("nothing of the webhook is left", lambda: site.left_over == [])
    site.cluster.kubectl("delete", "virtualmachines", "--all", "-n", "vms")
    return site


@pytest.fixture
def release(site: Site) -> Site:
    """The cluster with the webhook in force; anyone who changes that puts it back."""
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
