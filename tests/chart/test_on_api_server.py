"""A real API server accepts the chart from Helm 4 and 3, and grants the webhook's account what it needs."""

from collections.abc import Iterator

import pytest

from tests.chart.helm import CI, NAMESPACE, RELEASE, printed, render_ci
from tests.chart.test_renders import OF_OTHERS
from tests.clusters import Clusters
from tests.documentation import CHART
from tests.localcluster import LocalCluster

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster(clusters: Clusters) -> LocalCluster:
    return clusters.clean()


def helm(cluster: LocalCluster, program: str, *arguments: str) -> str:
    flags = ("--namespace", NAMESPACE, "--kubeconfig", str(cluster.kubeconfig))
    return printed(*arguments, *flags, program=program)


@pytest.fixture(params=["helm", "helm3"])
def release(cluster: LocalCluster, request: pytest.FixtureRequest) -> Iterator[str]:
    helm(cluster, request.param, "install", RELEASE, str(CHART), "--create-namespace")
    yield request.param
    helm(cluster, request.param, "uninstall", RELEASE, "--no-hooks")


def test_upgrade_and_rollback_work_between_all_sets_of_values(cluster: LocalCluster, release: str) -> None:
    for name, path in CI.items():
        if not any(obj["kind"] in OF_OTHERS for obj in render_ci(name).objects):
            helm(cluster, release, "upgrade", RELEASE, str(CHART), "--values", str(path))
    helm(cluster, release, "rollback", RELEASE, "1")


def test_a_manual_edit_is_kept_by_the_same_values_and_reverted_by_others_where_helm_4_needs_force(
    cluster: LocalCluster, release: str
) -> None:
    cluster.kubectl("replace", "-f", "-", stdin=config(cluster).replace("mode: deny", "mode: warn"))
    upgrade = ("upgrade", RELEASE, str(CHART), "--set")
    if release == "helm":
        with pytest.raises(AssertionError, match="conflict"):
            helm(cluster, release, *upgrade, "settings.mode=deny")
    helm(cluster, release, *upgrade, "settings.mode=warn")
    assert "mode: warn" in config(cluster)
    cluster.kubectl("replace", "-f", "-", stdin=config(cluster).replace("mode: warn", 'mode: "off"'))
    helm(cluster, release, *upgrade, "settings.mode=deny", *(["--force-conflicts"] if release == "helm" else []))
    assert "mode: deny" in config(cluster)


def config(cluster: LocalCluster) -> str:
    return cluster.kubectl("get", "configmap", RELEASE, "--namespace", NAMESPACE, "--output=yaml").stdout
