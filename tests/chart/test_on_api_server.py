"""A real API server takes the chart from Helm 4 and 3, and gives the webhook's account what it needs."""

import json
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from tests.chart.helm import CI, NAMESPACE, RELEASE, Object
from tests.chart.test_renders import OF_OTHERS
from tests.clusters import Clusters
from tests.documentation import CHART
from tests.localcluster import LocalCluster, binaries

pytestmark = pytest.mark.cluster

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
GROUPS = ["system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}", "system:authenticated"]


@pytest.fixture(scope="module")
def cluster(clusters: Clusters) -> LocalCluster:
    return clusters.clean()


def helm(cluster: LocalCluster, program: str, *arguments: str) -> str:
    command = [binaries.ensure(program)[program], *arguments, "--namespace", NAMESPACE]
    done = subprocess.run(
        [*map(str, command), "--kubeconfig", str(cluster.kubeconfig)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=["helm", "helm3"])
def release(cluster: LocalCluster, request: pytest.FixtureRequest) -> Iterator[str]:
    helm(cluster, request.param, "install", RELEASE, str(CHART), "--create-namespace")
    yield request.param
    helm(cluster, request.param, "uninstall", RELEASE, "--no-hooks")


def validating(name: str) -> Object:
    api = "admissionregistration.k8s.io/v1"
    return {"apiVersion": api, "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name}, "webhooks": []}


def apply_as_the_webhook(cluster: LocalCluster, obj: Object) -> str:
    options = ("--server-side", "--field-manager=migratability-webhook", "-f", "-")
    done = cluster.kubectl("apply", *options, stdin=json.dumps(obj), user=ACCOUNT, groups=GROUPS, check=False)
    return done.stdout + done.stderr


def test_an_upgrade_and_a_rollback_change_every_set_of_values_into_the_next(
    cluster: LocalCluster, release: str
) -> None:
    ours = [path for name, path in CI.items() if not needs_others(name)]

    for path in ours:
        helm(cluster, release, "upgrade", RELEASE, str(CHART), "--values", str(path))
    helm(cluster, release, "rollback", RELEASE, "1")


def needs_others(name: str) -> bool:
    values = yaml.safe_load(CI[name].read_text())
    asks = {"certManager": "Certificate"}.get(values.get("certificates", {}).get("source"), "")
    return asks in OF_OTHERS or any(
        values.get(part, {}).get("enabled") for part in ("serviceMonitor", "prometheusRule")
    )


def test_the_webhook_may_create_its_webhook_configurations_by_server_side_apply_and_no_others(
    cluster: LocalCluster, release: str
) -> None:
    assert "serverside-applied" in apply_as_the_webhook(cluster, validating("migratability"))
    assert "cannot patch" in apply_as_the_webhook(cluster, validating("other"))
    cluster.kubectl("delete", "validatingwebhookconfiguration", "migratability", user=ACCOUNT, groups=GROUPS)


def test_an_edit_by_hand_in_an_emergency_is_kept_by_the_same_in_the_values(cluster: LocalCluster, release: str) -> None:
    edit_by_hand(cluster)

    helm(cluster, release, "upgrade", RELEASE, str(CHART), "--set", "settings.mode=warn")
    assert "mode: warn" in config(cluster)


def test_other_values_take_back_an_edit_by_hand_with_helm_3_and_stop_at_it_with_helm_4(
    cluster: LocalCluster, release: str
) -> None:
    edit_by_hand(cluster)
    upgrade = ("upgrade", RELEASE, str(CHART), "--set", "settings.mode=deny")

    if release == "helm":
        with pytest.raises(AssertionError, match="conflict"):
            helm(cluster, release, *upgrade)
        assert "mode: warn" in config(cluster)
        helm(cluster, release, *upgrade, "--force-conflicts")
    else:
        helm(cluster, release, *upgrade)
    assert "mode: deny" in config(cluster)


def edit_by_hand(cluster: LocalCluster) -> None:
    cluster.kubectl("replace", "-f", "-", stdin=config(cluster).replace("mode: deny", "mode: warn"))


def config(cluster: LocalCluster) -> str:
    return cluster.kubectl("get", "configmap", RELEASE, "--namespace", NAMESPACE, "--output=yaml").stdout


def test_nobody_but_an_administrator_may_exempt_until_the_role_is_bound(cluster: LocalCluster, release: str) -> None:
    def may() -> str:
        asked = ("auth", "can-i", "exempt", "virtualmachines.kubevirt.io", "--namespace=default")
        return cluster.kubectl(*asked, user="ann", check=False).stdout.strip()

    assert may() == "no"
    role = f"--clusterrole={RELEASE}-exempt"
    cluster.kubectl("create", "rolebinding", "exempters", role, "--user=ann", "--namespace=default")
    assert may() == "yes"
    cluster.kubectl("delete", "rolebinding", "exempters", "--namespace=default")
