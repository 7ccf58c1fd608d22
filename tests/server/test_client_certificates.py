"""Client authentication: a POST needs an allowed client certificate; probes and metrics need none."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.build import disk, review, vm
from tests.certs.build import CA_CERTIFICATE, FOR_CLIENTS, Issued, issued_today, named, usage
from tests.localcluster.installation import free_port
from tests.localcluster.probes import unverified
from tests.server.conftest import ADDRESS, Server, running, send
from webhook.server.client_authentication import Clients

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
from webhook.server.logs import configure_logging
from webhook.server.run import Server
from webhook.server.state import SettingsFile, SnapshotState
from webhook.server.tls import TlsContext

configure_logging()
address, port, ca_file, *names = sys.argv[1:]
tls = TlsContext(None, address, clients=Clients(Path(ca_file), frozenset(names)))
Server(address, int(port), tls, lambda: SnapshotState(Snapshot(), SettingsFile(None))).run()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that kube-apiserver alone may call."""
    folder, port = tmp_path_factory.mktemp("guarded"), free_port(ADDRESS)
    (folder / "clients.crt").write_bytes(ROOT.pem)
    command = ["-c", SCRIPT, ADDRESS, str(port), str(folder / "clients.crt"), "kube-apiserver"]
    with running(folder, port, command, "/livez") as started:
        yield started


def call(server: Server, issued: Issued | None, path: str = "/validate") -> tuple[int, str]:
    """Return status and body of the answer to a review by a client with this certificate."""
    context = unverified()
    if issued:
        issued.leaf().load_into(context)
    return replace(server, context=context).request("POST", path, REVIEW)


@pytest.mark.parametrize("path", ["/validate", "/mutate"])
def test_allowed_client_gets_a_verdict_and_a_post_without_a_certificate_is_forbidden(server: Server, path: str) -> None:
    status, text = call(server, APISERVER, path)
    assert (status, "allowed" in json.loads(text)["response"]) == (200, True)
    for forbidden in (path, "/livez", "/"):
        assert call(server, None, forbidden) == (403, "a client certificate is required")


def test_post_with_another_common_name_is_forbidden_and_logged(server: Server) -> None:
    assert call(server, SOMEBODY) == (403, "the client certificate is for somebody, which may not call")
    server.await_log("denied a request from 127.0.0.1: the client certificate is for somebody")


def test_probes_and_metrics_need_no_certificate_also_after_a_denial(server: Server) -> None:
    with closing(server.connect()) as connection:
        assert send(connection, "POST", "/validate", REVIEW)[0] == 403
        assert [send(connection, "GET", path)[0] for path in ("/livez", "/readyz", "/metrics")] == [200] * 3


def test_without_names_any_client_of_the_ca_may_call() -> None:
    anyone, shown = Clients(Path("clients.crt")), {"subject": [[("commonName", "somebody")]]}
    assert [anyone.why_not(shown), anyone.why_not({})] == [None, "a client certificate is required"]
