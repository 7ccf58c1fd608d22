"""What clients must speak and show, as the chart's values say: API servers do, and others are turned away."""

import http.client
import json
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build import disk, review, vm
from tests.e2e_controller.permissions import NAMESPACE
from tests.e2e_rotation.conftest import Site
from tests.e2e_rotation.handshakes import shake, speaking
from tests.e2e_rotation.release import Release
from tests.localcluster.credentials import CA, Identity
from tests.localcluster.installation import apply
from tests.localcluster.probes import unverified

pytestmark = pytest.mark.cluster

REVIEW = review(vm(disk("once")))


@pytest.fixture(scope="module")
def guarded(site: Site) -> Iterator[Release]:
    """A release with the chart's TLS that only API servers may call."""
    trusted = {"ca.crt": site.clients.pem.decode()}
    metadata = {"name": "api-servers", "namespace": NAMESPACE}
    apply(site.cluster, [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": trusted}])
    with site.released({"clientAuthentication": {"configMap": "api-servers", "names": ["kube-apiserver"]}}) as found:
        yield found


def test_an_api_server_that_shows_its_certificate_has_every_vm_evaluated(guarded: Release) -> None:
    with guarded.load() as load:
        load.writers.go_on(200)
        assert len(guarded.replicas()) == 2


def test_a_client_without_a_certificate_has_nothing_evaluated(guarded: Release) -> None:
    assert call(guarded, None) == (403, "a client certificate is needed")


def test_a_client_of_another_name_has_nothing_evaluated(site: Site, guarded: Release) -> None:
    status, text = call(guarded, site.clients.client("somebody"))
    assert (status, "somebody, who may not call" in text) == (403, True)


def test_a_client_of_another_ca_gets_no_connection(guarded: Release) -> None:
    with pytest.raises(OSError, match=r"alert|reset|EOF"):
        call(guarded, CA("another").client("kube-apiserver"))


def test_the_client_that_may_call_gets_a_verdict(site: Site, guarded: Release) -> None:
    status, text = call(guarded, site.clients.client("kube-apiserver"))
    assert (status, json.loads(text)["response"]["allowed"]) == (200, False)


def test_tls_1_1_is_denied(guarded: Release) -> None:
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        shake(guarded.address, speaking(ssl.TLSVersion.TLSv1_1))


def test_suites_without_authenticated_encryption_are_denied(guarded: Release) -> None:
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        shake(guarded.address, speaking(ssl.TLSVersion.TLSv1_2, "ECDHE+AES:!AESGCM:!AESCCM"))


def test_tls_1_2_with_an_aead_suite_is_spoken(guarded: Release) -> None:
    assert shake(guarded.address, speaking(ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM"))


def call(release: Release, shown: Identity | None) -> tuple[int, str]:
    """Return status and body of the answer to a review, asked for with a client certificate or without."""
    context = unverified()
    if shown:
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder, "certificate"), Path(folder, "key")
            certificate.write_bytes(shown.certificate)
            key.write_bytes(shown.key)
            context.load_cert_chain(certificate, key)
    connection = http.client.HTTPSConnection(*release.address, timeout=30, context=context)
    try:
        connection.request("POST", "/validate", json.dumps(REVIEW), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
