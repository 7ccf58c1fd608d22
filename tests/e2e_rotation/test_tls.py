"""What clients must speak and show, as the chart's values say, and how an upgrade under writes changes that."""

import http.client
import json
import ssl
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build import Object, disk, review, vm
from tests.e2e_chart.release import Release
from tests.e2e_controller.permissions import NAMESPACE
from tests.e2e_rotation.issuers import CERTIFICATE, CertManager
from tests.e2e_rotation.load import shake, speaking, under_load
from tests.localcluster.credentials import CA, Identity
from tests.localcluster.installation import apply
from tests.localcluster.probes import unverified
from tests.workloads import eventually

pytestmark = pytest.mark.cluster

REVIEW = review(vm(disk("once")))
GUARDED = {"clientAuthentication": {"configMap": "api-servers", "names": ["kube-apiserver"]}}
OTHERS: Object = {"tls": {"minVersion": "1.3"}, "certificates": CertManager.VALUES}


@pytest.fixture(scope="module")
def guarded(site: Release) -> Iterator[Release]:
    """A release that anyone could call until an upgrade, which loses no write, let API servers alone do so."""
    with site.installed({}) as release:
        trusted = {"ca.crt": site.site.clients.pem.decode()}
        metadata = {"name": "api-servers", "namespace": NAMESPACE}
        apply(site.cluster, [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": trusted}])
        with under_load(release) as load:
            upgrade(release, GUARDED)
            load.writers.go_on(200)
        yield release


def test_only_a_client_with_a_certificate_of_an_api_server_has_anything_evaluated(guarded: Release) -> None:
    clients = guarded.site.clients
    assert call(guarded, None) == (403, "a client certificate is required")
    status, text = call(guarded, clients.client("somebody"))
    assert (status, "somebody, which may not call" in text) == (403, True)
    with pytest.raises(OSError, match=r"alert|reset|EOF"):
        call(guarded, CA("another").client("kube-apiserver"))
    status, text = call(guarded, clients.client("kube-apiserver"))
    assert (status, json.loads(text)["response"]["allowed"]) == (200, False)


def test_tls_1_2_with_an_aead_suite_is_spoken_and_nothing_weaker(guarded: Release) -> None:
    assert shake(guarded.address, speaking(ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM"))
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        shake(guarded.address, speaking(ssl.TLSVersion.TLSv1_1))
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        shake(guarded.address, speaking(ssl.TLSVersion.TLSv1_2, "ECDHE+AES:!AESGCM:!AESCCM"))


def test_an_upgrade_to_tls_1_3_without_client_authentication_and_to_cert_manager_loses_no_write(
    guarded: Release,
) -> None:
    """The old replicas may no longer read the CA's Secret, so that a new one becomes leader."""
    CertManager.prepare(guarded.cluster)

    def issue() -> None:
        eventually("Certificate", lambda: guarded.read(CERTIFICATE))
        CertManager(guarded).issue()

    with under_load(guarded) as load:
        thread = threading.Thread(target=issue)
        thread.start()
        upgrade(guarded, OTHERS)
        thread.join()
        load.look()
        load.writers.go_on(100)
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            shake(guarded.address, speaking(ssl.TLSVersion.TLSv1_2))
    assert len(load.ca_names) == 2


def upgrade(release: Release, values: Object) -> None:
    """Change to these values, by which every replica is replaced."""
    before = release.ready_pods.keys()
    release.upgrade(values)
    assert not before & release.ready_pods.keys()


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
