"""The server as kube-apiserver, kubelet and Prometheus meet it."""

import json
import select
import signal
import socket
import ssl
from contextlib import suppress

import pytest

from tests.build import disk, review, vm
from tests.server.conftest import DEADLINE, Serve, Server, send
from webhook.cluster import Snapshot
from webhook.server import run
from webhook.server.app import make_app
from webhook.server.state import SettingsFile, SnapshotState
from webhook.server.tls import TlsContext

KUBE_APISERVER_KEEPS_IDLE_SECONDS = 90
GUNICORNS_OWN_KEEPALIVE = 2.0
BODY = b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}'


def test_a_kept_connection_still_serves_after_gunicorns_own_limit(server: Server) -> None:
    connection = server.connect()
    assert send(connection, "GET", "/livez")[0] == 200
    port = connection.sock.getsockname()[1]
    closed, _, _ = select.select([connection.sock], [], [], GUNICORNS_OWN_KEEPALIVE + 1)
    assert not closed, "the server closed a connection that the client keeps"
    assert send(connection, "GET", "/livez")[0] == 200
    assert connection.sock.getsockname()[1] == port
    connection.close()


def test_connections_are_kept_longer_than_kube_apiserver_keeps_them() -> None:
    def make_state() -> SnapshotState:
        return SnapshotState(Snapshot(), SettingsFile(None))

    application = run._Application(run.Server("127.0.0.1", 8443, TlsContext(None, "127.0.0.1"), make_state))
    assert application.cfg.keepalive > KUBE_APISERVER_KEEPS_IDLE_SECONDS
    assert application.cfg.workers == 1


def test_it_is_alive_and_ready(server: Server) -> None:
    assert [server.request("GET", path) for path in ("/livez", "/readyz")] == [(200, "ok\n")] * 2


def test_readyz_names_what_is_waited_for() -> None:
    class Waiting(SnapshotState):
        def unready(self) -> dict[str, str]:
            return {"nodes": "not listed yet", "storageclasses": "the API server answered 403: no"}

    client = make_app(Waiting(Snapshot(), SettingsFile(None))).test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_data(as_text=True) == "nodes: not listed yet\nstorageclasses: the API server answered 403: no\n"
    assert client.get("/livez").status_code == 200


def test_metrics_are_shown_in_prometheus_text(server: Server) -> None:
    server.validate(review(vm(disk("once"))))
    status, text = server.request("GET", "/metrics")
    denied = 'requests_total{operation="CREATE",outcome="denied",path="/validate",resource="virtualmachines"} '
    assert status == 200
    assert float(text.split(denied)[1].split("\n")[0]) >= 1


def test_a_plain_http_client_gets_no_http_answer_and_harms_nobody(server: Server) -> None:
    for _ in range(5):
        with server.silent() as plain:
            plain.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP/" not in everything_from(plain)
    assert server.request("GET", "/livez")[0] == 200
    assert server.log().count("Booting worker") == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda found: found.name)
def test_every_version_of_tls_that_counts_as_safe_is_served(server: Server, version: ssl.TLSVersion) -> None:
    server.context.minimum_version = server.context.maximum_version = version
    try:
        with server.handshake() as connection:
            assert connection.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]
    finally:
        server.context.minimum_version = ssl.TLSVersion.TLSv1_2
        server.context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED


def begun(server: Server) -> ssl.SSLSocket:
    """Return a connection on which the server has read a request's head and waits for its body."""
    connection = server.handshake()
    head = (
        f"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(BODY)}\r\nExpect: 100-continue\r\n\r\n"
    )
    connection.sendall(head.encode())
    assert connection.recv(4096).startswith(b"HTTP/1.1 100")
    return connection


def test_sigterm_lets_a_request_that_has_begun_have_its_answer(serve: Serve) -> None:
    server = serve()
    with begun(server) as connection:
        server.child.process.send_signal(signal.SIGTERM)
        server.await_log("Handling signal: term")
        connection.sendall(BODY)
        answer = everything_from(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"has no request" in answer
    assert server.child.process.wait(DEADLINE) == 0


def test_sigterm_lets_a_kept_connection_have_one_more_answer(serve: Serve) -> None:
    server = serve()
    connection = server.connect()
    assert send(connection, "GET", "/livez")[0] == 200
    server.child.process.send_signal(signal.SIGTERM)
    server.await_log("Handling signal: term")
    connection.request("GET", "/livez")
    with connection.getresponse() as answer:
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
    connection.close()
    assert server.child.process.wait(DEADLINE) == 0


def test_after_sigterm_nobody_listens_any_more(serve: Serve) -> None:
    server = serve()
    server.child.process.send_signal(signal.SIGTERM)
    assert server.child.process.wait(DEADLINE) == 0
    with pytest.raises(ConnectionRefusedError):
        server.silent()


def test_every_line_of_its_log_is_json(serve: Serve) -> None:
    server = serve()
    server.validate(review(vm(disk("once"))))
    server.child.process.send_signal(signal.SIGTERM)
    server.child.process.wait(DEADLINE)
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert {"time", "level", "message"} <= set.intersection(*(set(line) for line in lines))
    assert [line["rules"] for line in lines if line["message"] == "refused"] == [["shared-access"]]


def everything_from(connection: socket.socket) -> bytes:
    """Return what comes until the server closes."""
    found = b""
    with suppress(ConnectionResetError):
        while chunk := connection.recv(4096):
            found += chunk
    return found
