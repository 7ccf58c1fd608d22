"""One cluster with nodes for all tests of the chart, and the release that they share as long as none removes it."""

import shutil
from pathlib import Path

import pytest

from tests.clusters import NEXT, Clusters, furnish
from tests.documentation import CHART
from tests.e2e.preexisting.violators import CLAIMS
from tests.e2e_chart.release import Release
from tests.workloads import eventually


@pytest.fixture(scope="package")
def site(clusters: Clusters) -> Release:
    """The cluster with PVCs, and nodes that know another version too."""
    found = clusters.with_nodes()
    furnish(found.cluster, *CLAIMS)
    return Release(found)


@pytest.fixture
def bare(site: Release) -> Release:
    """The cluster without the webhook; `helm uninstall --no-hooks` leaves nothing that the webhook made."""
    if site.try_helm("status", "migratability-webhook").returncode == 0:
        site.uninstall("--no-hooks")
    eventually("nothing of the webhook is left", lambda: site.left_over == [])
    return site


@pytest.fixture
def release(site: Release) -> Release:
    """The cluster with the webhook in force."""
    site.have()
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
