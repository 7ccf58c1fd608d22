"""The doctor connects to the Service's address, and verifies the certificate for its name."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from prometheus_client import generate_latest

from certs import self_signed
from tests.doctor.fake_api import TableApi
from webhook.cluster.live import STALE
from webhook.doctor.finding import Finding
from webhook.doctor.service import cache_ages, look_at_service
from webhook.server.metrics import Metrics

PATHS = "/api/v1/namespaces/migratability"


class Served(http.server.BaseHTTPRequestHandler):
    age = STALE - 1

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f'migratability_cache_age_seconds{{resource="nodes"}} {self.age}\n'.encode())

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Print nothing of a client that rejects its certificate."""


@pytest.fixture
def served() -> Iterator[tuple[int, bytes]]:
    """A server with a certificate for webhook.migratability.svc: its port, and the certificate."""
    leaf = self_signed({"webhook.migratability.svc"}, timedelta(days=1))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.load_into(context)
    with Server(("127.0.0.1", 0), Served) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port, leaf.chain
        server.shutdown()
        thread.join()


def findings(name: str, port: int, bundle: bytes) -> list[Finding]:
    """Return the findings about a Service of this name, but the one about its pods."""
    api = TableApi({f"{PATHS}/services/{name}": {"spec": {"clusterIP": "127.0.0.1"}}, f"{PATHS}/pods": {"items": []}})
    return look_at_service(api.client, {"namespace": "migratability", "name": name, "port": port}, bundle)[1:]


def test_trusted_certificate_for_the_services_name_is_ok(served: tuple[int, bytes]) -> None:
    certificate, caches = findings("webhook", *served)
    assert (certificate.status, caches.status, "1 kinds are watched" in caches.what) == ("ok", "ok", True)


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


def test_stale_cache_is_a_warning_that_names_its_resource(
    served: tuple[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Served, "age", STALE + 1)
    _, caches = findings("webhook", *served)
    assert (caches.status, caches.what) == ("warning", "stale, older than 120 s: nodes")
