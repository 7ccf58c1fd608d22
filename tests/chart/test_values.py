"""Every value has its effect."""

from functools import reduce
from typing import Any

import pytest

from tests.chart.helm import RELEASE, Rendered, render
from tests.chart.values import read
from tests.documentation import CHART
from webhook.objects import at

VALUES = read((CHART / "values.yaml").read_text())
DIGEST = f"sha256:{'a' * 64}"
OWN = {"app.kubernetes.io/name": RELEASE, "app.kubernetes.io/instance": RELEASE}
SHARED = {"app": "x"}
TAINT = [{"key": "infra", "operator": "Exists"}]
SPREAD = {"topologyKey": "rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"}
DEFAULTED = {**SPREAD, "labelSelector": {"matchLabels": OWN}}
CHOSEN = {**SPREAD, "labelSelector": {"matchLabels": SHARED}}
ISSUER = {"certificates.source": "certManager", "certificates.issuerRef.name": "platform"}
SECRET = {"certificates.source": "existingSecret", "certificates.existingSecret": "other"}
CLIENTS = {"clientAuthentication.configMap": "clients"}
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-admin"

POD = "Deployment spec template spec"
CONTAINER = f"{POD} containers 0"
LABEL = "metadata labels app"

CASES: dict[str, tuple[Any, str, object, dict[str, Any]]] = {
    "image.repository": ("quay.io/x/y", f"{CONTAINER} image", "quay.io/x/y:0.1.0", {}),
    "image.tag": ("v9", f"{CONTAINER} image", "localhost/migratability-webhook:v9", {}),
    "image.digest": (DIGEST, f"{CONTAINER} image", f"localhost/migratability-webhook@{DIGEST}", {"image.tag": "v9"}),
    "image.pullPolicy": ("Always", f"{CONTAINER} imagePullPolicy", "Always", {}),
    "imagePullSecrets": ([{"name": "a"}], f"{POD} imagePullSecrets", [{"name": "a"}], {}),
    "replicaCount": (5, "Deployment spec replicas", 5, {}),
    "settings.mode": ("warn", "settings mode", "warn", {}),
    "settings.rules": ({"smb-share": "off"}, "settings rules", {"smb-share": "off"}, {}),
    "settings.evictionStrategy": ("default", "settings evictionStrategy", "default", {}),
    "settings.exemptions.requireReason": (False, "settings exemptions requireReason", False, {}),
    "settings.exemptions.maxDays": (7, "settings exemptions maxDays", 7, {}),
    "settings.exemptions.excludedUsers": (["argo"], "settings exemptions excludedUsers", ["argo"], {}),
    "settings.kubevirt.namespace": ("openshift-cnv", "settings kubevirt namespace", "openshift-cnv", {}),
    "settings.kubevirt.version": ("1.8", "settings kubevirt version", "1.8", {}),
    "settings.trident.namespace": ("storage", "settings trident namespace", "storage", {}),
    "settings.webhookConfigurations": ("off", "settings webhookConfigurations", "off", {}),
    "namespaceSelector": ({"matchLabels": SHARED}, "installation namespaceSelector matchLabels", SHARED, {}),
    "certificates.source": ("serviceCA", "installation certificates source", "files", {}),
    "certificates.caLifetime": ("720h", "installation certificates caLifetime", "720h", {}),
    "certificates.leafLifetime": ("24h", "installation certificates leafLifetime", "24h", {}),
    "certificates.trustDelay": ("5s", "installation certificates trustDelay", "5s", {}),
    "certificates.issuerRef.name": ("own", "Certificate spec issuerRef name", "own", ISSUER),
    "certificates.issuerRef.kind": ("ClusterIssuer", "Certificate spec issuerRef kind", "ClusterIssuer", ISSUER),
    "certificates.issuerRef.group": ("x.io", "Certificate spec issuerRef group", "x.io", ISSUER),
    "certificates.existingSecret": ("tls", f"{POD} volumes 1 secret", {"secretName": "tls"}, SECRET),
    "tls.minVersion": ("1.3", "installation tls minVersion", "1.3", {}),
    "clientAuthentication.configMap": ("a", f"{POD} volumes 1 configMap", {"name": "a"}, {}),
    "clientAuthentication.names": (["kas"], "installation clientAuthentication names", ["kas"], CLIENTS),
    "service.port": (8443, "Service spec ports 0 port", 8443, {}),
    "resources": ({"limits": {"memory": "2Gi"}}, f"{CONTAINER} resources limits", {"memory": "2Gi"}, {}),
    "nodeSelector": (SHARED, f"{POD} nodeSelector", SHARED, {}),
    "tolerations": (TAINT, f"{POD} tolerations", TAINT, {}),
    "affinity": ({"nodeAffinity": SHARED}, f"{POD} affinity", {"nodeAffinity": SHARED}, {}),
    "topologySpreadConstraints": ([SPREAD, CHOSEN], f"{POD} topologySpreadConstraints", [DEFAULTED, CHOSEN], {}),
    "priorityClassName": ("", f"{POD} priorityClassName", None, {}),
    "podAnnotations": (SHARED, "Deployment spec template metadata annotations app", "x", {}),
    "podLabels": (SHARED, "Deployment spec template metadata labels app", "x", {}),
    "commonLabels": (SHARED, f"Service {LABEL}", "x", {}),
    "podDisruptionBudget.enabled": (False, "PodDisruptionBudget", None, {}),
    "podDisruptionBudget.maxUnavailable": ("50%", "PodDisruptionBudget spec maxUnavailable", "50%", {}),
    "networkPolicy.enabled": (False, "NetworkPolicy", None, {}),
    "networkPolicy.apiServerPorts": ([16443], "NetworkPolicy spec egress 0 ports 0 port", 16443, {}),
    "serviceMonitor.enabled": (True, "ServiceMonitor kind", "ServiceMonitor", {}),
    "serviceMonitor.labels": (SHARED, f"ServiceMonitor {LABEL}", "x", {"serviceMonitor.enabled": True}),
    "prometheusRule.enabled": (True, "PrometheusRule kind", "PrometheusRule", {}),
    "prometheusRule.labels": (SHARED, f"PrometheusRule {LABEL}", "x", {"prometheusRule.enabled": True}),
    "dashboard.enabled": (True, "ConfigMap-dashboard kind", "ConfigMap", {}),
    "dashboard.labels": (SHARED, f"ConfigMap-dashboard {LABEL}", "x", {"dashboard.enabled": True}),
    "exemptRole.aggregateToAdmin": (True, f"ClusterRole-exempt metadata labels {AGGREGATE}", "true", {}),
    "test.namespace": ("staging", "Role-test metadata namespace", "staging", {}),
}
"""By value: what it is set to, where its effect is, what is there then, and what else must be set."""


def seen(rendered: Rendered, place: str) -> object:
    """Return what is at ``KIND-SUFFIX FIELD …``, or below the settings or the installation; None if nothing is."""
    first, *path = place.split()
    kind, dash, suffix = first.partition("-")
    files = ("settings", "installation")
    tree: Any = getattr(rendered, first) if first in files else rendered.find(kind, dash + suffix)
    for name in path:
        tree = tree[int(name)] if isinstance(tree, list) and int(name) < len(tree) else at(tree, name)
    return tree


def tree(flat: dict[str, Any]) -> dict[str, Any]:
    """Return {"a.b": 1} as {"a": {"b": 1}}."""
    found: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, last = path.split(".")
        reduce(lambda place, parent: place.setdefault(parent, {}), parents, found)[last] = value
    return found


def test_every_value_has_a_case_and_a_comment_of_whole_sentences() -> None:
    assert [value.path for value in VALUES] == list(CASES)
    assert [value.path for value in VALUES if not value.comment.endswith((".", "`"))] == []


@pytest.mark.parametrize("path", CASES)
def test_a_value_has_its_effect_which_is_absent_without_it(path: str) -> None:
    value, place, expected, others = CASES[path]
    assert seen(render(tree({**others, path: value})), place) == expected
    assert seen(render(tree(others)), place) != expected


def test_a_users_label_cannot_replace_one_that_a_selector_needs() -> None:
    mine = {"app.kubernetes.io/name": "mine"}
    rendered = render({"podLabels": mine, "commonLabels": mine})
    assert rendered.get("Deployment")["spec"]["template"]["metadata"]["labels"].items() >= OWN.items()
    assert rendered.get("Service")["metadata"]["labels"].items() >= OWN.items()


def test_every_object_and_pod_has_the_common_labels() -> None:
    rendered = render({"commonLabels": SHARED, "dashboard": {"enabled": True}, "prometheusRule": {"enabled": True}})
    assert all(obj["metadata"]["labels"]["app"] == "x" for obj in (*rendered.objects, *rendered.pods.values()))
