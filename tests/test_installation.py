"""The installation file: what it holds, and that every error names its field."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.controller.fake import INSTALLATION
from tests.test_settings import problem
from webhook import installation
from webhook.installation import Certificates, Installation, InstallationError, Replica
from webhook.structs import Duration

WHOLE = """
namespace: migratability
service: {name: webhook, port: 8443}
owner: webhook-owner
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

LIFETIMES = (Duration(days=365), Duration(days=7), Duration(seconds=90))


def test_every_field_is_read(tmp_path: Path) -> None:
    path = tmp_path / "installation.yaml"
    path.write_text(WHOLE)
    assert Installation.load(path) == Installation(
        namespace="migratability",
        service=installation.Service("webhook", 8443),
        owner="webhook-owner",
        lease="webhook",
        pods="app=webhook",
        namespace_selector={"matchLabels": {"stage": "first"}},
        certificates=Certificates("files", "ca", *LIFETIMES, "/tls/tls.crt", "/tls/tls.key", "/ca/ca.crt"),
        tls=installation.Tls("1.3"),
        client_authentication=installation.ClientAuthentication("/clients/ca.crt", ("kube-apiserver",)),
    )


def test_missing_fields_have_their_defaults() -> None:
    found = Installation.parse({**INSTALLATION, "certificates": {"secret": "ca"}, "service": {"name": "webhook"}})
    assert found.service.port == 443
    assert found.certificates == Certificates("selfSigned", "ca", *LIFETIMES[:2], Duration(seconds=60))
    assert (found.namespace_selector, found.tls.min_version, found.client_authentication.ca_file) == ({}, "1.2", "")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("20s", 20), ("30m", 1800), ("8760h", 31536000), ("7d", 604800), ("1h30m", 5400), ("0.5h", 1800)],
)
def test_durations_are_read_as_people_write_them(written: str, seconds: float) -> None:
    certificates = {"secret": "ca", "caLifetime": "100000h", "leafLifetime": written, "trustDelay": "1s"}
    found = Installation.parse({**INSTALLATION, "certificates": certificates})
    assert found.certificates.leaf_lifetime == timedelta(seconds=seconds)


def test_what_must_be_set_is_named() -> None:
    for key in ("namespace", "service", "owner", "lease", "pods", "certificates"):
        without = {name: value for name, value in INSTALLATION.items() if name != key}
        assert problem(Installation, without) == f"{key}: must be set"
    assert problem(Installation, None) == "installation: must be a mapping, not None"


WRONG: list[tuple[str, Any, str]] = [
    ("namespace", "No Name", "namespace: must be the name of a Kubernetes object, not 'No Name'"),
    ("owner", 7, "owner: must be the name of a Kubernetes object, not 7"),
    ("pods", [], "pods: must be a name, not []"),
    ("service", {}, "service.name: must be set"),
    ("service", {"name": "x", "port": 0}, "service.port: must be a port from 1 to 65535, not 0"),
    ("service", {"name": "x", "ports": 1}, "service: unknown setting 'ports'; known: name, port"),
    ("namespaceSelector", {"labels": {}}, "namespaceSelector: must be a label selector"),
    *(
        ("certificates", {"secret": "x", "caLifetime": value}, "certificates.caLifetime: must be a duration like 8760h")
        for value in ("5", 5, "0s", "101000d", "9" * 400 + "d")
    ),
    ("certificates", {"secret": "x", "caLifetime": "60s"}, "certificates: the trust delay must be less than"),
    ("certificates", {"source": "vault"}, "certificates.source: must be one of selfSigned, files, not 'vault'"),
    ("certificates", {}, "certificates: secret must be set where source is selfSigned"),
    ("certificates", {"source": "files"}, "certificates: certFile must be set where source is files"),
    ("certificates", None, "certificates: must be a mapping, not None"),
    ("tls", {"minVersion": 1.2}, "tls.minVersion: must be one of 1.2, 1.3, not 1.2"),
    ("clientAuthentication", {"names": "x"}, "clientAuthentication.names: must be a list of names, not 'x'"),
    ("replicas", 2, "installation: unknown setting 'replicas'"),
]


@pytest.mark.parametrize(("key", "value", "message"), WRONG)
def test_a_wrong_value_is_named_with_what_is_allowed(key: str, value: object, message: str) -> None:
    assert problem(Installation, {**INSTALLATION, key: value}).startswith(message)


POD = {"POD_NAME": "pod-1", "POD_NAMESPACE": "migratability", "POD_IP": "10.0.0.1"}


def test_a_replica_knows_its_pod_by_the_downward_api() -> None:
    assert Replica.of(POD, Installation.parse(INSTALLATION)) == Replica("pod-1", "10.0.0.1")


OTHERS = [({variable: ""}, f"{variable} is not set") for variable in POD]
ELSEWHERE = ({"POD_NAMESPACE": "default"}, "is migratability, but this pod is in default")


@pytest.mark.parametrize(("more", "why"), [*OTHERS, ELSEWHERE])
def test_a_pod_elsewhere_or_without_a_variable_is_no_replica(more: dict[str, str], why: str) -> None:
    with pytest.raises(InstallationError, match=why):
        Replica.of({**POD, **more}, Installation.parse(INSTALLATION))
