"""The doctor connects to the Service's address, and verifies the certificate for its name."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus

import pytest

from certs import self_signed
from tests.doctor.fake_api import TableApi
from webhook.doctor.finding import Finding
from webhook.doctor.service import look_at_service

PATHS = "/api/v1/namespaces/migratability"
METRICS = b'migratability_cache_age_seconds{resource="nodes"} 3.0\n'


class Metrics(http.server.BaseHTTPRequestHandler):
    """Answers every GET with metrics."""

    def do_GET(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.end_headers()
        self.wfile.write(METRICS)

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """Prints nothing of a client that rejects its certificate."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore it."""


@pytest.fixture
def served() -> Iterator[tuple[int, bytes]]:
    """A server with a certificate for webhook.migratability.svc: its port, and the certificate."""
    leaf = self_signed({"webhook.migratability.svc"}, timedelta(days=1))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.load_into(context)
    with Server(("127.0.0.1", 0), Metrics) as server:
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
    assert (certificate.status, caches.status) == ("ok", "ok")
    assert "1 kinds are watched" in caches.what


def test_certificate_for_another_name_is_an_error_that_says_so(served: tuple[int, bytes]) -> None:
    (found,) = findings("other", *served)
    assert (found.status, found.about) == ("error", "certificates")
    assert "Hostname mismatch" in found.what


def test_untrusted_certificate_is_an_error(served: tuple[int, bytes]) -> None:
    other = self_signed({"webhook.migratability.svc"}, timedelta(days=1)).chain
    (found,) = findings("webhook", served[0], other)
    assert (found.status, found.about) == ("error", "certificates")
