"""What the webhook is given: its settings, and what it must know of its installation."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.helm import CI, NAMESPACE, RELEASE, Rendered, render, render_ci
from tests.documentation import ROOT
from webhook.installation import Installation
from webhook.policy.rules import RULES
from webhook.settings import Settings

SELF_SIGNED = {
    "source": "selfSigned",
    "secret": f"{RELEASE}-ca",
    "caLifetime": "8760h",
    "leafLifetime": "168h",
    "trustDelay": "60s",
}
FILES = {
    "source": "files",
    "certFile": "/var/run/tls/tls.crt",
    "keyFile": "/var/run/tls/tls.key",
    "caFile": "/var/run/tls/ca.crt",
    "trustDelay": "60s",
}


def settings_of(rendered: Rendered, folder: Path) -> Settings:
    file = folder / "settings.yaml"
    file.write_text(rendered.get("ConfigMap")["data"]["settings.yaml"])
    return Settings.load(file)


@pytest.mark.parametrize("name", CI)
def test_the_webhook_takes_the_settings_and_knows_every_rule(name: str, tmp_path: Path) -> None:
    settings = settings_of(render_ci(name), tmp_path)

    assert settings.unknown_rules(frozenset(rule.name for rule in RULES)) == []


def test_the_settings_are_the_initial_ones_by_default(tmp_path: Path) -> None:
    assert settings_of(render(), tmp_path) == Settings()


def test_the_chart_has_every_setting_that_the_readme_has_with_the_same_initial_value() -> None:
    (block,) = re.findall(r"```yaml\n(mode: .*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

    assert render().settings == yaml.safe_load(block)


def test_a_bare_off_switches_off(tmp_path: Path) -> None:
    bare = yaml.safe_load("{mode: off, rules: {smb-share: off}, evictionStrategy: off, webhookConfigurations: off}")
    settings = settings_of(render({"settings": bare}), tmp_path)

    assert (settings.mode, settings.eviction_strategy, settings.webhook_configurations) == ("off", "off", "off")
    assert settings.rules == {"smb-share": "off"}


@pytest.mark.parametrize("name", CI)
def test_the_webhook_takes_what_it_is_told_of_its_installation(name: str, tmp_path: Path) -> None:
    file = tmp_path / "installation.yaml"
    file.write_text(render_ci(name).get("ConfigMap")["data"]["installation.yaml"])

    assert Installation.load(file).owner == f"{RELEASE}-registrations"


def test_an_installation_is_described_in_full() -> None:
    assert render().installation == {
        "namespace": NAMESPACE,
        "service": {"name": RELEASE, "port": 443},
        "owner": f"{RELEASE}-registrations",
        "lease": RELEASE,
        "pods": f"app.kubernetes.io/name=migratability-webhook,app.kubernetes.io/instance={RELEASE}",
        "namespaceSelector": {
            "matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", NAMESPACE]}
            ]
        },
        "certificates": SELF_SIGNED,
        "tls": {"minVersion": "1.2"},
    }


@pytest.mark.parametrize(
    ("values", "certificates"),
    [
        ({"source": "selfSigned"}, SELF_SIGNED),
        ({"source": "certManager", "issuerRef": {"name": "a"}}, FILES),
        ({"source": "existingSecret", "existingSecret": "tls"}, FILES),
        ({"source": "serviceCA"}, {**FILES, "caFile": "/var/run/ca/service-ca.crt"}),
    ],
    ids=lambda value: value["source"],
)
def test_every_source_of_certificates_is_described(values: dict[str, Any], certificates: dict[str, str]) -> None:
    rendered = render({"certificates": values})

    assert rendered.installation["certificates"] == certificates
    mounted = [mount["mountPath"] for mount in rendered.pod["containers"][0]["volumeMounts"]]
    files = [value for key, value in certificates.items() if key.endswith("File")]
    assert all(any(file.startswith(f"{folder}/") for folder in mounted) for file in files)


def test_client_certificates_are_described_where_they_are_asked_for() -> None:
    rendered = render({"clientAuthentication": {"configMap": "clients", "names": ["kube-apiserver"]}})

    wanted = {"caFile": "/var/run/client-ca/ca.crt", "names": ["kube-apiserver"]}
    assert rendered.installation["clientAuthentication"] == wanted


def test_cert_manager_is_asked_for_the_name_by_which_the_api_server_calls() -> None:
    values = {"source": "certManager", "issuerRef": {"name": "ours", "kind": "ClusterIssuer"}, "leafLifetime": "720h"}
    spec = render({"certificates": values}).get("Certificate")["spec"]

    assert spec["dnsNames"] == [f"{RELEASE}.{NAMESPACE}.svc"]
    assert spec["issuerRef"] == {"name": "ours", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    assert (spec["duration"], spec["privateKey"]["rotationPolicy"]) == ("720h", "Always")


def test_cert_manager_writes_the_secret_that_is_mounted() -> None:
    rendered = render({"certificates": {"source": "certManager", "issuerRef": {"name": "a"}}})

    secret = rendered.get("Certificate")["spec"]["secretName"]
    assert {"name": "tls", "secret": {"secretName": secret}} in rendered.pod["volumes"]


def test_openshift_is_asked_for_a_certificate_and_for_its_ca() -> None:
    rendered = render({"certificates": {"source": "serviceCA"}})
    service, config = rendered.get("Service"), rendered.get("ConfigMap", "-service-ca")

    secret = service["metadata"]["annotations"]["service.beta.openshift.io/serving-cert-secret-name"]
    assert config["metadata"]["annotations"] == {"service.beta.openshift.io/inject-cabundle": "true"}
    assert "data" not in config
    volumes = rendered.pod["volumes"]
    assert {"name": "tls", "secret": {"secretName": secret}} in volumes
    assert {"name": "ca", "configMap": {"name": config["metadata"]["name"]}} in volumes


def test_an_edit_of_the_settings_restarts_nothing_and_one_of_the_installation_does() -> None:
    def template(values: dict[str, Any]) -> object:
        return render(values).get("Deployment")["spec"]["template"]

    assert template({"settings": {"mode": "warn"}}) == template({})
    assert template({"certificates": {"trustDelay": "90s"}}) != template({})
