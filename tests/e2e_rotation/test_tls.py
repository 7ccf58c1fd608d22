"""What clients must speak and show, as the chart's values say, and how an upgrade under writes changes that."""

import json
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPSConnection

import pytest

from certs import Leaf
from tests.build import Object, disk, of_kind, review, vm
from tests.e2e_chart.release import Release
from tests.e2e_controller.permissions import NAMESPACE
from tests.e2e_rotation.issuers import CertManager
from tests.e2e_rotation.load import shake, under_load
from tests.localcluster.credentials import CA, Identity
from tests.localcluster.installation import apply
from tests.localcluster.probes import unverified
from tests.server.conftest import send

pytestmark = pytest.mark.cluster

REVIEW = review(vm(disk("once")))
GUARDED = {"clientAuthentication": {"configMap": "api-servers", "names": ["kube-apiserver"]}}
OTHERS: Object = {"tls": {"minVersion": "1.3"}, "certificates": CertManager.VALUES}


@pytest.fixture(scope="module")
def guarded(site: Release) -> Iterator[Release]:
    """A release that anyone could call until an upgrade, which loses no write, let API servers alone do so."""
    with site.installed({}) as release:
        trusted = {"ca.crt": site.site.clients.pem.decode()}
        apply(site.cluster, [of_kind("v1", "ConfigMap", "api-servers", NAMESPACE, data=trusted)])
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


def test_an_upgrade_to_tls_1_3_without_client_authentication_and_to_cert_manager_loses_no_write(
    guarded: Release,
) -> None:
    """The old replicas may no longer read the CA's Secret, so that a new one becomes leader."""
    issuer = CertManager(guarded)
    old = unverified()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with under_load(guarded) as load, ThreadPoolExecutor() as threads:
        assert shake(guarded.address, old)
        issued = threads.submit(issuer.issue)
        upgrade(guarded, OTHERS)
        issued.result()
        load.look()
        load.writers.go_on(100)
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            shake(guarded.address, old)
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
        Leaf(shown.certificate, shown.key).load_into(context)
    with closing(HTTPSConnection(*release.address, timeout=30, context=context)) as connection:
        return send(connection, "POST", "/validate", REVIEW)
