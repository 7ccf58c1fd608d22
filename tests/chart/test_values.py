"""Every value has its effect."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.chart.helm import NAMESPACE, RELEASE, Rendered, render
from tests.chart.values import Value, read
from tests.documentation import CHART
from webhook.objects import at

VALUES = read((CHART / "values.yaml").read_text())
DIGEST = f"sha256:{'a' * 64}"
OURS = {"app.kubernetes.io/name": RELEASE, "app.kubernetes.io/instance": RELEASE}

Look = Callable[[Rendered], object]


def deployment(*path: str) -> Look:
    return lambda rendered: at(rendered.get("Deployment"), "spec", *path)


def pod(*path: str) -> Look:
    return lambda rendered: at(rendered.pod, *path)


def container(field: str) -> Look:
    return lambda rendered: rendered.pod["containers"][0][field]


def of(kind: str, *path: str, suffix: str = "") -> Look:
    return lambda rendered: at(rendered.get(kind, suffix), *path)


def setting(*path: str) -> Look:
    return lambda rendered: at(rendered.settings, *path)


def installed(*path: str) -> Look:
    return lambda rendered: at(rendered.installation, *path)


def label(kind: str, key: str, suffix: str = "") -> Look:
    return of(kind, "metadata", "labels", key, suffix=suffix)


def is_there(kind: str, suffix: str = "") -> Look:
    return lambda rendered: rendered.has(kind, suffix)


def volume(name: str) -> Look:
    return lambda rendered: next((found for found in rendered.pod["volumes"] if found["name"] == name), None)


MANAGER = {"certificates.source": "certManager", "certificates.issuerRef.name": "platform"}
SHARED = {"app": "x"}
TAINT = [{"key": "infra", "operator": "Exists"}]
SPREAD = {"topologyKey": "rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"}

CASES: dict[str, tuple[Any, Look, object, dict[str, Any]]] = {
    "image.repository": ("quay.io/x/y", container("image"), "quay.io/x/y:0.1.0", {}),
    "image.tag": ("v9", container("image"), "localhost/migratability-webhook:v9", {}),
    "image.digest": (DIGEST, container("image"), f"localhost/migratability-webhook@{DIGEST}", {"image.tag": "v9"}),
    "image.pullPolicy": ("Always", container("imagePullPolicy"), "Always", {}),
    "imagePullSecrets": ([{"name": "a"}], pod("imagePullSecrets"), [{"name": "a"}], {}),
    "replicaCount": (5, deployment("replicas"), 5, {}),
    "settings.mode": ("warn", setting("mode"), "warn", {}),
    "settings.rules": ({"smb-share": "off"}, setting("rules"), {"smb-share": "off"}, {}),
    "settings.evictionStrategy": ("default", setting("evictionStrategy"), "default", {}),
    "settings.exemptions.requireReason": (False, setting("exemptions", "requireReason"), False, {}),
    "settings.exemptions.maxDays": (7, setting("exemptions", "maxDays"), 7, {}),
    "settings.exemptions.excludedUsers": (["argo"], setting("exemptions", "excludedUsers"), ["argo"], {}),
    "settings.kubevirt.namespace": ("openshift-cnv", setting("kubevirt", "namespace"), "openshift-cnv", {}),
    "settings.kubevirt.version": ("1.8", setting("kubevirt", "version"), "1.8", {}),
    "settings.trident.namespace": ("storage", setting("trident", "namespace"), "storage", {}),
    "settings.webhookConfigurations": ("off", setting("webhookConfigurations"), "off", {}),
    "namespaceSelector": (
        {"matchLabels": SHARED},
        installed("namespaceSelector", "matchLabels"),
        SHARED,
        {},
    ),
    "certificates.source": ("serviceCA", installed("certificates", "source"), "files", {}),
    "certificates.caLifetime": ("720h", installed("certificates", "caLifetime"), "720h", {}),
    "certificates.leafLifetime": ("24h", installed("certificates", "leafLifetime"), "24h", {}),
    "certificates.trustDelay": ("5s", installed("certificates", "trustDelay"), "5s", {}),
    "certificates.issuerRef.name": ("ours", of("Certificate", "spec", "issuerRef", "name"), "ours", MANAGER),
    "certificates.issuerRef.kind": (
        "ClusterIssuer",
        of("Certificate", "spec", "issuerRef", "kind"),
        "ClusterIssuer",
        MANAGER,
    ),
    "certificates.issuerRef.group": ("x.io", of("Certificate", "spec", "issuerRef", "group"), "x.io", MANAGER),
    "certificates.existingSecret": (
        "tls",
        volume("tls"),
        {"name": "tls", "secret": {"secretName": "tls"}},
        {"certificates.source": "existingSecret"},
    ),
    "tls.minVersion": ("1.3", installed("tls", "minVersion"), "1.3", {}),
    "clientAuthentication.configMap": (
        "clients",
        volume("client-ca"),
        {"name": "client-ca", "configMap": {"name": "clients"}},
        {},
    ),
    "clientAuthentication.names": (
        ["apiserver"],
        installed("clientAuthentication", "names"),
        ["apiserver"],
        {"clientAuthentication.configMap": "clients"},
    ),
    "service.port": (8443, lambda rendered: rendered.get("Service")["spec"]["ports"][0]["port"], 8443, {}),
    "resources": (
        {"limits": {"memory": "2Gi"}},
        lambda rendered: at(rendered.pod["containers"][0], "resources", "limits"),
        {"memory": "2Gi"},
        {},
    ),
    "nodeSelector": (SHARED, pod("nodeSelector"), SHARED, {}),
    "tolerations": (TAINT, pod("tolerations"), TAINT, {}),
    "affinity": ({"nodeAffinity": SHARED}, pod("affinity"), {"nodeAffinity": SHARED}, {}),
    "topologySpreadConstraints": (
        [SPREAD],
        pod("topologySpreadConstraints"),
        [{**SPREAD, "labelSelector": {"matchLabels": OURS}}],
        {},
    ),
    "priorityClassName": ("", pod("priorityClassName"), None, {}),
    "podAnnotations": (SHARED, deployment("template", "metadata", "annotations", "app"), "x", {}),
    "podLabels": (SHARED, deployment("template", "metadata", "labels", "app"), "x", {}),
    "commonLabels": (SHARED, label("Service", "app"), "x", {}),
    "podDisruptionBudget.enabled": (False, is_there("PodDisruptionBudget"), False, {}),
    "podDisruptionBudget.maxUnavailable": ("50%", of("PodDisruptionBudget", "spec", "maxUnavailable"), "50%", {}),
    "networkPolicy.enabled": (False, is_there("NetworkPolicy"), False, {}),
    "networkPolicy.apiServerPorts": (
        [16443],
        lambda rendered: rendered.get("NetworkPolicy")["spec"]["egress"][0]["ports"],
        [{"port": 16443, "protocol": "TCP"}],
        {},
    ),
    "serviceMonitor.enabled": (True, is_there("ServiceMonitor"), True, {}),
    "serviceMonitor.labels": (SHARED, label("ServiceMonitor", "app"), "x", {"serviceMonitor.enabled": True}),
    "prometheusRule.enabled": (True, is_there("PrometheusRule"), True, {}),
    "prometheusRule.labels": (SHARED, label("PrometheusRule", "app"), "x", {"prometheusRule.enabled": True}),
    "dashboard.enabled": (True, is_there("ConfigMap", "-dashboard"), True, {}),
    "dashboard.labels": (SHARED, label("ConfigMap", "app", "-dashboard"), "x", {"dashboard.enabled": True}),
    "exemptRole.aggregateToAdmin": (
        True,
        label("ClusterRole", "rbac.authorization.k8s.io/aggregate-to-admin", "-exempt"),
        "true",
        {},
    ),
    "test.namespace": ("staging", of("Role", "metadata", "namespace", suffix="-test"), "staging", {}),
}
"""By value: what it is set to, where to look for its effect, what is there then, and what else must be set."""


def tree(flat: dict[str, Any]) -> dict[str, Any]:
    """Return {"a.b": 1} as {"a": {"b": 1}}."""
    found: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, last = path.split(".")
        place = found
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return found


def test_every_value_has_a_case() -> None:
    assert [value.path for value in VALUES] == list(CASES)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.path)
def test_every_value_says_what_it_does(value: Value) -> None:
    assert value.comment.endswith((".", "`"))


@pytest.mark.parametrize("path", CASES)
def test_a_value_has_its_effect(path: str) -> None:
    setting, look, expected, others = CASES[path]

    assert look(render(tree({**others, path: setting}))) == expected


@pytest.mark.parametrize("path", [path for path in CASES if not CASES[path][3]])
def test_the_effect_is_not_there_without_the_value(path: str) -> None:
    _, look, expected, _ = CASES[path]

    try:
        assert look(render()) != expected
    except (ValueError, KeyError):
        return  # the object or the field is not there at all


def test_a_label_of_the_user_cannot_take_the_place_of_one_that_a_selector_needs() -> None:
    mine = {"app.kubernetes.io/name": "mine"}
    rendered = render({"podLabels": mine, "commonLabels": mine})

    assert rendered.get("Deployment")["spec"]["template"]["metadata"]["labels"].items() >= OURS.items()
    assert rendered.get("Service")["metadata"]["labels"].items() >= OURS.items()


def test_everything_has_the_common_labels_pods_too() -> None:
    rendered = render({"commonLabels": SHARED, "dashboard": {"enabled": True}, "prometheusRule": {"enabled": True}})

    assert all(obj["metadata"]["labels"]["app"] == "x" for obj in rendered.objects)
    assert rendered.get("Job", "-unregister")["spec"]["template"]["metadata"]["labels"]["app"] == "x"
    assert deployment("template", "metadata", "labels", "app")(rendered) == "x"


def test_a_constraint_of_the_spread_may_have_a_selector_of_its_own() -> None:
    selector = {"matchLabels": SHARED}
    rendered = render({"topologySpreadConstraints": [{**SPREAD, "labelSelector": selector}]})

    assert rendered.pod["topologySpreadConstraints"][0]["labelSelector"] == selector


def test_the_test_asks_in_the_namespace_that_it_may_ask_in() -> None:
    args = render({"test": {"namespace": "staging"}}).get("Pod", "-test")["spec"]["containers"][0]["args"]

    assert "--namespace=staging" in args


@pytest.mark.parametrize(
    "selector", [{}, {"matchLabels": SHARED}, {"matchExpressions": [{"key": "a", "operator": "Exists"}]}]
)
def test_no_namespace_selector_brings_in_our_own_namespace_or_kube_system(selector: dict[str, Any]) -> None:
    found = render({"namespaceSelector": selector}).installation["namespaceSelector"]

    apart = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", NAMESPACE]}
    assert found == {**selector, "matchExpressions": [apart, *selector.get("matchExpressions", [])]}
