"""The installation file: what it holds, and that every error names its field."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controller.fake import INSTALLATION
from webhook.installation import Installation, InstallationError, Replica

WHOLE = """
namespace: migratability
service: {name: webhook, port: 8443}
owner: registrations
lease: webhook
pods: app=webhook
namespaceSelector: {matchLabels: {stage: first}}
certificates:
  source: files
  secret: ca
  caLifetime: 8760h
  leafLifetime: 7d
  trustDelay: 1m30s
  certFile: /tls/tls.crt
  keyFile: /tls/tls.key
  caFile: /ca/ca.crt
tls: {minVersion: "1.3"}
clientAuthentication: {caFile: /clients/ca.crt, names: [kube-apiserver]}
"""


def denied(tree: object) -> str:
    """Return the message of the error that a tree causes."""
    with pytest.raises(InstallationError) as caught:
        Installation.parse(tree)
    return str(caught.value)


def test_every_field_is_read(tmp_path: Path) -> None:
    path = tmp_path / "installation.yaml"
    path.write_text(WHOLE)
    found = Installation.load(path)
    assert (found.namespace, found.service.name, found.service.port) == ("migratability", "webhook", 8443)
    assert (found.owner, found.lease, found.pods) == ("registrations", "webhook", "app=webhook")
    assert found.namespace_selector == {"matchLabels": {"stage": "first"}}
    certificates = found.certificates
    assert (certificates.source, certificates.secret) == ("files", "ca")
    assert certificates.ca_lifetime == timedelta(days=365)
    assert certificates.leaf_lifetime == timedelta(days=7)
    assert certificates.trust_delay == timedelta(seconds=90)
    assert (certificates.cert_file, certificates.key_file) == ("/tls/tls.crt", "/tls/tls.key")
    assert certificates.ca_file == "/ca/ca.crt"
    assert found.tls.min_version == "1.3"
    assert found.client_authentication.ca_file == "/clients/ca.crt"
    assert found.client_authentication.names == ("kube-apiserver",)


def test_what_is_left_out_has_its_initial_value() -> None:
    found = Installation.parse({**INSTALLATION, "certificates": {"secret": "ca"}, "service": {"name": "webhook"}})
    assert found.service.port == 443
    assert found.namespace_selector == {}
    assert found.certificates.source == "selfSigned"
    assert found.certificates.ca_lifetime == timedelta(days=365)
    assert found.certificates.leaf_lifetime == timedelta(days=7)
    assert found.certificates.trust_delay == timedelta(seconds=60)
    assert found.tls.min_version == "1.2"
    assert found.client_authentication.ca_file == ""


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("20s", 20), ("30m", 1800), ("8760h", 31536000), ("7d", 604800), ("1h30m", 5400), ("0.5h", 1800)],
)
def test_durations_are_read_as_people_write_them(written: str, seconds: float) -> None:
    certificates = {
        **INSTALLATION["certificates"],
        "caLifetime": "100000h",
        "leafLifetime": written,
        "trustDelay": "1s",
    }
    found = Installation.parse({**INSTALLATION, "certificates": certificates})
    assert found.certificates.leaf_lifetime == timedelta(seconds=seconds)


@pytest.mark.parametrize("key", ["namespace", "service", "owner", "lease", "pods", "certificates"])
def test_what_must_be_set_is_named(key: str) -> None:
    assert denied({name: value for name, value in INSTALLATION.items() if name != key}) == f"{key}: must be set"


WRONG: list[tuple[str, Any, str]] = [
    ("namespace", "No Name", "namespace: must be the name of a Kubernetes object, not 'No Name'"),
    ("owner", 7, "owner: must be the name of a Kubernetes object, not 7"),
    ("pods", [], "pods: must be a name, not []"),
    ("service", {}, "service.name: must be set"),
    ("service", {"name": "x", "port": 0}, "service.port: must be a port from 1 to 65535, not 0"),
    ("service", {"name": "x", "ports": 1}, "service: unknown setting 'ports'; known: name, port"),
    ("namespaceSelector", {"labels": {}}, "namespaceSelector: must be a label selector"),
    ("certificates", {"secret": "x", "trustDelay": "5"}, "certificates.trustDelay: must be a duration like 8760h"),
    ("certificates", {"secret": "x", "trustDelay": 5}, "certificates.trustDelay: must be a duration like 8760h"),
    ("certificates", {"secret": "x", "trustDelay": "0s"}, "certificates.trustDelay: must be a duration like 8760h"),
    ("certificates", {"secret": "x", "caLifetime": "60s"}, "certificates: the trust delay must be less than"),
    ("certificates", {"source": "vault"}, "certificates.source: must be one of selfSigned, files, not 'vault'"),
    ("certificates", {}, "certificates: secret must be set where source is selfSigned"),
    ("certificates", {"source": "files"}, "certificates: certFile must be set where source is files"),
    (
        "certificates",
        {"secret": "x", "caLifetime": "101000d"},
        "certificates.caLifetime: must be a duration like 8760h",
    ),
    (
        "certificates",
        {"secret": "x", "caLifetime": "9" * 400 + "d"},
        "certificates.caLifetime: must be a duration like",
    ),
    ("certificates", None, "certificates: must be a mapping, not None"),
    ("tls", {"minVersion": 1.2}, "tls.minVersion: must be one of 1.2, 1.3, not 1.2"),
    ("clientAuthentication", {"names": "x"}, "clientAuthentication.names: must be a list of names, not 'x'"),
    ("replicas", 2, "installation: unknown setting 'replicas'"),
]


@pytest.mark.parametrize(("key", "value", "message"), WRONG, ids=[message for *_, message in WRONG])
def test_a_wrong_value_is_named_with_what_is_allowed(key: str, value: object, message: str) -> None:
    assert denied({**INSTALLATION, key: value}).startswith(message)


@pytest.mark.parametrize("tree", [None, [], "x"])
def test_it_must_be_a_mapping(tree: object) -> None:
    assert denied(tree).startswith("installation: must be a mapping")


def test_an_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "installation.yaml"
    for content in ("namespace: [", yaml.safe_dump({**INSTALLATION, "lease": ""}), None):
        path.write_text(content) if content else path.unlink()
        with pytest.raises(InstallationError, match=f"^{path}: "):
            Installation.load(path)


POD = {"POD_NAME": "pod-1", "POD_NAMESPACE": "migratability", "POD_IP": "10.0.0.1"}


def test_a_replica_knows_its_pod_by_the_downward_api() -> None:
    assert Replica.of(POD, Installation.parse(INSTALLATION)) == Replica("pod-1", "10.0.0.1")


@pytest.mark.parametrize("variable", POD)
def test_a_variable_that_is_not_set_is_named(variable: str) -> None:
    with pytest.raises(InstallationError, match=f"{variable} is not set"):
        Replica.of({**POD, variable: ""}, Installation.parse(INSTALLATION))


def test_a_pod_elsewhere_is_no_replica() -> None:
    with pytest.raises(InstallationError, match="is migratability, but this pod is in default"):
        Replica.of({**POD, "POD_NAMESPACE": "default"}, Installation.parse(INSTALLATION))
