"""Where client certificates are asked for, nobody else has anything evaluated, and probes are answered all the same."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build import disk, review, vm
from tests.certs.build import CA_CERTIFICATE, FOR_CLIENTS, Issued, issued_today, named, usage
from tests.localcluster.probes import unverified
from tests.localcluster.processes import spawn
from tests.server.conftest import ADDRESS, CHECKOUT, Server, await_that, free_port, send

ROOT = issued_today("clients", CA_CERTIFICATE, usage())
APISERVER, SOMEBODY = (
    issued_today(name, named("any"), FOR_CLIENTS, issuer=ROOT) for name in ("kube-apiserver", "somebody")
)
REVIEW = review(vm(disk("once"), evictionStrategy="LiveMigrate"))
SCRIPT = """
import sys
from pathlib import Path
from webhook.cluster import Snapshot
from webhook.server.client_authentication import Clients
from webhook.server.run import Server
from webhook.server.state import SettingsFile, SnapshotState
from webhook.server.tls import TlsContext

address, port, ca_file, *names = sys.argv[1:]
tls = TlsContext(None, address, clients=Clients(Path(ca_file), frozenset(names)))
Server(address, int(port), tls, lambda: SnapshotState(Snapshot(), SettingsFile(None))).run()
"""


def started(folder: Path, *names: str) -> Iterator[Server]:
    """Start a server that lets clients of these names call."""
    (folder / "clients.crt").write_bytes(ROOT.pem)
    port = free_port()
    command = [sys.executable, "-c", SCRIPT, ADDRESS, str(port), str(folder / "clients.crt"), *names]
    child = spawn("guarded", command, folder / "server.log", CHECKOUT, {"PYTHONPATH": str(CHECKOUT)})
    server = Server(port, child)
    try:
        await_that(lambda: probed(server), "answer from /livez", child)
        yield server
    finally:
        child.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for kube-apiserver only."""
    yield from started(tmp_path_factory.mktemp("guarded"), "kube-apiserver")


def probed(server: Server) -> bool:
    try:
        return server.request("GET", "/livez")[0] == 200
    except OSError:
        return False


def call(server: Server, issued: Issued | None, path: str = "/validate") -> tuple[int, str]:
    """Return status and body of the answer to a review by a client with this certificate."""
    server.context = unverified()
    if issued:
        issued.leaf().load_into(server.context)
    try:
        return server.request("POST", path, REVIEW)
    finally:
        server.context = unverified()


@pytest.mark.parametrize("path", ["/validate", "/mutate"])
def test_the_one_who_may_call_gets_a_verdict(server: Server, path: str) -> None:
    status, text = call(server, APISERVER, path)
    assert status == 200
    assert "allowed" in json.loads(text)["response"]


@pytest.mark.parametrize("path", ["/validate", "/mutate", "/livez", "/"])
def test_a_client_without_a_certificate_has_nothing_evaluated(server: Server, path: str) -> None:
    assert call(server, None, path) == (403, "a client certificate is needed")


def test_a_client_of_another_name_has_nothing_evaluated_and_it_is_logged(server: Server) -> None:
    assert call(server, SOMEBODY) == (403, "the client certificate is that of somebody, who may not call")
    server.await_log("denied a call from 127.0.0.1: the client certificate is that of somebody")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_probes_and_metrics_need_none(server: Server, path: str) -> None:
    assert server.request("GET", path)[0] == 200


def test_a_connection_goes_on_after_a_denial(server: Server) -> None:
    connection = server.connect()
    assert send(connection, "POST", "/validate", REVIEW)[0] == 403
    assert send(connection, "GET", "/livez")[0] == 200
    connection.close()


def test_without_names_any_client_of_the_ca_may_call(tmp_path: Path) -> None:
    for server in started(tmp_path):
        assert call(server, SOMEBODY)[0] == 200
        assert call(server, None)[0] == 403
