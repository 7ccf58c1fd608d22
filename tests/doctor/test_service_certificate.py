"""The doctor connects to the Service's address, and verifies the certificate for its name."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from prometheus_client import generate_latest

from certs import self_signed
from tests.certs.build import serving
from tests.doctor.fake_api import TableApi
from webhook.cluster.live import STALE
from webhook.doctor.finding import Finding
from webhook.doctor.service import cache_ages, look_at_service
from webhook.server.metrics import Metrics

PATHS = "/api/v1/namespaces/migratability"


class Served(BaseHTTPRequestHandler):
    age = STALE - 1

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f'migratability_cache_age_seconds{{resource="nodes"}} {self.age}\n'.encode())


@pytest.fixture
def served() -> Iterator[tuple[int, bytes]]:
    """A server with a certificate for webhook.migratability.svc: its port, and the certificate."""
    leaf = self_signed({"webhook.migratability.svc"}, timedelta(days=1))
    with ThreadingHTTPServer(("127.0.0.1", 0), Served) as server:
        server.socket = serving(leaf).wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port, leaf.chain
        server.shutdown()
        thread.join()


def findings(name: str, port: int, bundle: bytes) -> list[Finding]:
    """Return the findings about a Service of this name, but the one about its pods."""
    api = TableApi({f"{PATHS}/services/{name}": {"spec": {"clusterIP": "127.0.0.1"}}, f"{PATHS}/pods": {"items": []}})
    return look_at_service(api.client, {"namespace": "migratability", "name": name, "port": port}, bundle)[1:]


@pytest.mark.parametrize(
    ("age", "status", "words"),
    [(STALE - 1, "ok", "1 kinds are watched"), (STALE + 1, "warning", "stale, older than 120 s: nodes")],
)
def test_trusted_certificate_for_the_services_name_is_ok_and_a_stale_cache_a_warning_that_names_it(
    served: tuple[int, bytes], monkeypatch: pytest.MonkeyPatch, age: float, status: str, words: str
) -> None:
    monkeypatch.setattr(Served, "age", age)
    certificate, caches = findings("webhook", *served)
    assert (certificate.status, caches.status, words in caches.what) == ("ok", status, True)


def test_certificate_for_another_name_or_an_untrusted_one_is_an_error_that_says_so(served: tuple[int, bytes]) -> None:
    other = self_signed({"webhook.migratability.svc"}, timedelta(days=1)).chain
    for name, bundle, words in (("other", served[1], "Hostname mismatch"), ("webhook", other, "self-signed")):
        (found,) = findings(name, served[0], bundle)
        assert (found.status, found.about) == ("error", "certificates")
        assert words in found.what.replace("self signed", "self-signed")


@pytest.mark.parametrize("bundle", [b"", b"garbage", b"\xff"], ids=repr)
def test_ca_bundle_that_is_no_certificate_is_an_error_that_says_so(served: tuple[int, bytes], bundle: bytes) -> None:
    (found,) = findings("webhook", served[0], bundle)
    assert (found.status, found.what) == ("error", "the caBundle is not a certificate")
    assert "cert-manager.io/inject-ca-from" in found.remedy


def test_ages_of_the_caches_are_read_from_what_the_server_writes() -> None:
    ages = {"nodes": 0.25, "storageclasses": 3.0, "persistentvolumeclaims": 1e20}
    assert cache_ages(generate_latest(Metrics(lambda: ages).registry).decode()) == ages
