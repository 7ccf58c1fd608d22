"""The server as kube-apiserver, kubelet and Prometheus use it."""

import json
import os
import select
import signal
import socket
import ssl
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.admission.client import Broken, Webhook, changed
from tests.build import disk, review, vm
from tests.server.conftest import ADDRESS, DEADLINE, Serve, Server, await_that, send
from tests.server.test_settings_file import replace
from tests.server.test_tls import ONE as OLD
from tests.server.test_tls import TWO as NEW
from tests.server.test_tls import der, write
from webhook.cluster import Snapshot, Undecidable
from webhook.server import run
from webhook.server.app import make_app
from webhook.server.logs import JsonFormatter
from webhook.server.state import SettingsFile, SnapshotState
from webhook.server.tls import TlsContext

KUBE_APISERVER_KEEPS_IDLE_SECONDS, GUNICORNS_OWN_KEEPALIVE = 90, 2.0
BODY = b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}'


def application() -> Any:
    """Return what gunicorn runs."""
    state = SnapshotState(Snapshot(), SettingsFile(None))
    return run._Application(run.Server(ADDRESS, 8443, TlsContext(None, ADDRESS), lambda: state))


def test_idle_connection_is_kept_longer_than_gunicorn_would_and_kube_apiserver_does(server: Server) -> None:
    configured = application().cfg
    assert (configured.keepalive > KUBE_APISERVER_KEEPS_IDLE_SECONDS, configured.workers) == (True, 1)
    connection = server.connect()
    assert send(connection, "GET", "/livez")[0] == 200
    port = connection.sock.getsockname()[1]
    closed, _, _ = select.select([connection.sock], [], [], GUNICORNS_OWN_KEEPALIVE + 1)
    assert not closed, "the server closed a connection that the client keeps"
    assert send(connection, "GET", "/livez")[0] == 200
    assert connection.sock.getsockname()[1] == port
    connection.close()


def test_livez_readyz_and_metrics_are_served(server: Server) -> None:
    assert [server.request("GET", path) for path in ("/livez", "/readyz")] == [(200, "ok\n")] * 2
    server.validate(review(vm(disk("once"))))
    status, text = server.request("GET", "/metrics")
    labels = 'dry_run="false",operation="CREATE",path="/validate",resource="virtualmachines",result="denied"'
    assert status == 200
    assert float(text.split(f"migratability_admission_requests_total{{{labels}}} ")[1].split("\n")[0]) >= 1


def test_readyz_names_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = {"nodes": "not listed yet", "storageclasses": "the API server answered 403: no"}
    monkeypatch.setattr(SnapshotState, "unready", lambda _: waiting)
    client = make_app(SnapshotState(Snapshot(), SettingsFile(None))).test_client()
    answer, expected = client.get("/readyz"), "nodes: not listed yet\nstorageclasses: the API server answered 403: no\n"
    assert (answer.status_code, answer.text) == (503, expected)
    assert client.get("/livez").status_code == 200


def test_plain_http_client_gets_no_http_answer_and_does_no_harm(server: Server) -> None:
    for _ in range(5):
        with server.silent() as plain:
            plain.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP/" not in everything_from(plain)
    assert server.request("GET", "/livez")[0] == 200
    assert server.log().count("Booting worker") == 1


def test_dry_run_is_a_label_of_requests() -> None:
    good, webhook = review(vm(disk("good"))), Webhook()
    for request in (good, changed(good, dryRun=True), changed(good, dryRun=False)):
        webhook.validate(request)
    name = "migratability_admission_requests_total"
    series = {"path": "/validate", "operation": "CREATE", "resource": "virtualmachines", "result": "allowed"}
    assert [webhook.metric(name, **series, dry_run=value) for value in ("false", "true")] == [2, 1]


def test_undecided_request_is_logged_and_warned_of_in_mode_warn(caplog: pytest.LogCaptureFixture) -> None:
    response = Webhook(Broken(Undecidable("no word of it")), mode="warn").validate(review(vm(disk("good"))))
    assert (response["allowed"], response["warnings"]) == (True, ["not evaluated: no word of it"])
    (line,) = (json.loads(JsonFormatter().format(record)) for record in caplog.records)
    assert (line["level"], line["message"], line["user"]) == ("warning", "no decision: no word of it", "alice")
    names = [line[key] for key in ("operation", "resource", "namespace", "name")]
    assert names == ["CREATE", "virtualmachines", "vms", "db"]


def test_sigterm_lets_begun_requests_and_kept_connections_finish_and_logs_only_json(serve: Serve) -> None:
    server = serve()
    server.validate(review(vm(disk("once"))))
    kept = server.connect()
    assert send(kept, "GET", "/livez")[0] == 200
    with server.handshake() as connection:
        connection.sendall(b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        connection.sendall(b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(BODY))
        assert connection.recv(4096).startswith(b"HTTP/1.1 100"), "the server waits for the body"
        server.terminate()
        kept.request("GET", "/livez")
        with kept.getresponse() as answer:
            assert (answer.status, answer.headers["Connection"]) == (200, "close")
        connection.sendall(BODY)
        text = everything_from(connection)
    kept.close()
    assert text.startswith(b"HTTP/1.1 400")
    assert b"has no request" in text
    assert server.child.process.wait(DEADLINE) == 0
    with pytest.raises(ConnectionRefusedError):
        server.silent()
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert {"time", "level", "message"} <= set.intersection(*(set(line) for line in lines))
    assert [line["rules"] for line in lines if line["message"] == "denied"] == [["shared-access"]]


def test_a_stopping_server_answers_on_kept_connections_also_after_handshakes_that_broke_off(serve: Serve) -> None:
    """gunicorn counts such a connection down twice, and ends once it counts none."""
    server = serve()
    kept = server.connect()
    assert send(kept, "GET", "/livez")[0] == 200
    for _ in range(3):
        with server.silent() as client:
            client.sendall(b"\x16\x03\x01\x02\x00\x01")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.terminate()
    await_that(server.denies_connections, "refused connection", server.child)
    assert send(kept, "GET", "/livez")[0] == 200
    kept.close()


def test_replaced_certificate_and_settings_are_used_without_a_restart(serve: Serve, tmp_path: Path) -> None:
    (chain, key), settings = write(tmp_path, OLD), tmp_path / "settings.yaml"
    settings.write_text("mode: warn\n")
    bad = review(vm(disk("once"), evictionStrategy="LiveMigrate"))
    server = serve("--cert-file", chain, "--key-file", key, "--config", settings)

    def shown() -> bytes:
        return ssl.get_server_certificate((ADDRESS, server.port)).encode()

    assert (shown(), server.validate(bad)["allowed"]) == (OLD.chain, True)
    connection = server.connect()
    assert send(connection, "GET", "/livez")[0] == 200
    replace(chain, NEW.chain)
    assert shown() == OLD.chain
    server.await_log("still serving the old certificate")
    replace(key, NEW.key)
    replace(settings, b"mode: deny\n")
    assert (shown(), server.validate(bad)["allowed"]) == (NEW.chain, False)
    assert send(connection, "GET", "/livez")[0] == 200
    assert connection.sock.getpeercert(binary_form=True) == der(OLD)
    connection.close()
    assert server.log().count("Booting worker") == 1


def test_worker_accepts_nothing_before_it_is_ready_but_waits_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def unready(state: SnapshotState) -> dict[str, str]:
        asked.append(state)
        return {} if len(asked) == 5 else {"certificate": "there is none yet"}

    monkeypatch.setattr(SnapshotState, "unready", unready)
    starting = application()
    starting.load()
    assert len(asked) == 5
    monkeypatch.setattr(run, "READY_SECONDS", 0.05)
    starting.load()
    assert len(asked) > 5


def test_killed_worker_loses_no_request_that_begins_after_it(serve: Serve) -> None:
    server = serve()
    process = server.child.process.pid

    def workers() -> list[int]:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]

    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    await_that(lambda: worker not in workers(), "end of the process", server.child)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: server.request("GET", "/readyz"), range(100)))
    assert answers == [(200, "ok\n")] * 100
    assert server.log().count("Booting worker") == 2


def everything_from(connection: socket.socket) -> bytes:
    """Return what the server sends until it closes."""
    found = b""
    with suppress(ConnectionResetError):
        while chunk := connection.recv(4096):
            found += chunk
    return found
