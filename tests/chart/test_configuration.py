"""What the webhook reads: its settings, and its installation."""

import re
from typing import Any

import pytest
import yaml

from tests.chart.helm import CI, NAMESPACE, RELEASE, render, render_ci
from tests.documentation import ROOT
from webhook.installation import Installation
from webhook.policy.rules import unknown_rules
from webhook.settings import Settings

LIFETIMES = {"caLifetime": "8760h", "leafLifetime": "168h", "trustDelay": "60s"}
MOUNTED = {"certFile": "/var/run/tls/tls.crt", "keyFile": "/var/run/tls/tls.key", "caFile": "/var/run/tls/ca.crt"}
FILES = {"source": "files", "trustDelay": "60s", **MOUNTED}
APART = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", NAMESPACE]}


@pytest.mark.parametrize("name", CI)
def test_the_webhook_accepts_the_settings_and_the_installation(name: str) -> None:
    rendered = render_ci(name)
    assert unknown_rules(Settings.parse(rendered.settings)) == []
    assert Installation.parse(rendered.installation).owner == f"{RELEASE}-webhook-configurations"


def test_the_default_settings_are_those_of_the_webhook_and_of_the_readme() -> None:
    (block,) = re.findall(r"```yaml\n(mode: .*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert Settings.parse(render().settings) == Settings()
    assert render().settings == yaml.safe_load(block)


def test_a_bare_off_switches_off() -> None:
    bare = yaml.safe_load("{mode: off, rules: {smb-share: off}, evictionStrategy: off, webhookConfigurations: off}")
    settings = Settings.parse(render({"settings": bare}).settings)
    assert (settings.mode, settings.eviction_strategy, settings.webhook_configurations) == ("off", "off", "off")
    assert settings.rules == {"smb-share": "off"}


def test_the_installation_is_complete() -> None:
    assert render().installation == {
        "namespace": NAMESPACE,
        "service": {"name": RELEASE, "port": 443},
        "owner": f"{RELEASE}-webhook-configurations",
        "lease": RELEASE,
        "pods": f"app.kubernetes.io/name=migratability-webhook,app.kubernetes.io/instance={RELEASE}",
        "namespaceSelector": {"matchExpressions": [APART]},
        "certificates": {"source": "selfSigned", "secret": f"{RELEASE}-ca", **LIFETIMES},
        "tls": {"minVersion": "1.2"},
    }
    clients = render({"clientAuthentication": {"configMap": "clients", "names": ["kube-apiserver"]}}).installation
    assert clients["clientAuthentication"] == {"caFile": "/var/run/client-ca/ca.crt", "names": ["kube-apiserver"]}


def test_no_namespace_selector_includes_the_releases_namespace_or_kube_system() -> None:
    labels, exists = {"matchLabels": {"app": "x"}}, {"key": "a", "operator": "Exists"}
    found = render({"namespaceSelector": {**labels, "matchExpressions": [exists]}}).installation["namespaceSelector"]
    assert found == {**labels, "matchExpressions": [APART, exists]}


@pytest.mark.parametrize(
    ("values", "certificates"),
    [
        ({"source": "certManager", "issuerRef": {"name": "a"}}, FILES),
        ({"source": "existingSecret", "existingSecret": "tls"}, FILES),
        ({"source": "serviceCA"}, {**FILES, "caFile": "/var/run/ca/service-ca.crt"}),
    ],
    ids=lambda value: value["source"],
)
def test_the_files_of_each_certificate_source_are_mounted(values: dict[str, Any], certificates: dict[str, str]) -> None:
    rendered = render({"certificates": values})
    assert rendered.installation["certificates"] == certificates
    mounted = [mount["mountPath"] for mount in rendered.pod["containers"][0]["volumeMounts"]]
    files = [value for key, value in certificates.items() if key.endswith("File")]
    assert all(any(file.startswith(f"{folder}/") for folder in mounted) for file in files)


def test_cert_manager_writes_the_mounted_secret_for_the_name_that_the_api_server_verifies() -> None:
    values = {"source": "certManager", "issuerRef": {"name": "own", "kind": "ClusterIssuer"}, "leafLifetime": "720h"}
    rendered = render({"certificates": values})
    spec = rendered.get("Certificate")["spec"]
    assert spec["dnsNames"] == [f"{RELEASE}.{NAMESPACE}.svc"]
    assert spec["issuerRef"] == {"name": "own", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    assert (spec["duration"], spec["privateKey"]["rotationPolicy"]) == ("720h", "Always")
    assert {"name": "tls", "secret": {"secretName": spec["secretName"]}} in rendered.pod["volumes"]


def test_openshift_writes_the_mounted_secret_and_its_ca() -> None:
    rendered = render({"certificates": {"source": "serviceCA"}})
    service, config = rendered.get("Service"), rendered.get("ConfigMap", "-service-ca")
    secret = service["metadata"]["annotations"]["service.beta.openshift.io/serving-cert-secret-name"]
    assert config["metadata"]["annotations"] == {"service.beta.openshift.io/inject-cabundle": "true"}
    assert "data" not in config
    volumes = rendered.pod["volumes"]
    assert {"name": "tls", "secret": {"secretName": secret}} in volumes
    assert {"name": "ca", "configMap": {"name": config["metadata"]["name"]}} in volumes


def test_a_change_of_the_installation_restarts_the_pods_and_one_of_the_settings_does_not() -> None:
    def template(values: dict[str, Any]) -> object:
        return render(values).get("Deployment")["spec"]["template"]

    assert template({"settings": {"mode": "warn"}}) == template({})
    assert template({"certificates": {"trustDelay": "90s"}}) != template({})
