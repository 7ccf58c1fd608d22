"""A real server process over a snapshot, on loopback."""

import http.client
import json
import os
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.admission.client import KUBEVIRT
from tests.build import CLUSTER, Object
from tests.localcluster.probes import unverified
from tests.localcluster.processes import Child, spawn

CHECKOUT = Path(__file__).parents[2]
ADDRESS = "127.0.0.1"
DEADLINE = 120.0
"""Seconds within which whatever a test waits for must come."""


@dataclass
class Server:
    """A running ``migratability serve`` and its log."""

    port: int
    child: Child
    context: ssl.SSLContext = field(default_factory=unverified)

    def connect(self) -> http.client.HTTPSConnection:
        """Return a connection of its own, not yet open."""
        return http.client.HTTPSConnection(ADDRESS, self.port, timeout=DEADLINE, context=self.context)

    def handshake(self) -> ssl.SSLSocket:
        """Return a TLS connection that carried nothing yet."""
        return self.context.wrap_socket(self.silent())

    def silent(self) -> socket.socket:
        """Return a TCP connection that carried nothing yet."""
        return socket.create_connection((ADDRESS, self.port), timeout=DEADLINE)

    def request(self, method: str, path: str, body: Object | None = None) -> tuple[int, str]:
        """Return status and body of the answer to one request on a connection of its own."""
        connection = self.connect()
        try:
            return send(connection, method, path, body)
        finally:
            connection.close()

    def validate(self, review: Object) -> Object:
        """Return the AdmissionResponse of /validate."""
        status, text = self.request("POST", "/validate", review)
        assert status == 200, text
        response: Object = json.loads(text)["response"]
        return response

    def certificate(self) -> bytes:
        """Return the certificate that a new handshake is shown, as DER."""
        with self.handshake() as connection:
            shown = connection.getpeercert(binary_form=True)
        assert shown is not None
        return shown

    def log(self) -> str:
        """Return all that the process has said so far."""
        return self.child.log.read_text(errors="replace")

    def await_log(self, words: str) -> None:
        """Return when the log holds the words."""
        await_that(lambda: words in self.log(), f"{words!r} in the log", self.child)


def send(connection: http.client.HTTPConnection, method: str, path: str, body: Object | None = None) -> tuple[int, str]:
    """Return status and body of the answer to a request on an open connection."""
    content = None if body is None else json.dumps(body)
    connection.request(method, path, content, {"Content-Type": "application/json"})
    with connection.getresponse() as answer:
        return answer.status, answer.read().decode()


def await_that(condition: Callable[[], bool], what: str, child: Child) -> None:
    """Return when the condition holds; fails after the deadline, or when the process ends, with the end of its log."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert child.process.poll() is None, f"the server ended while waiting for {what}:\n{child.tail()}"
        assert time.monotonic() < deadline, f"no {what} within {DEADLINE:g} s:\n{child.tail()}"
        time.sleep(0.02)


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port: int = probe.getsockname()[1]
    return port


Serve = Callable[..., Server]


@contextmanager
def serving(folder: Path) -> Iterator[Serve]:
    """Give a function that starts a server with further arguments; what it started ends afterwards."""
    snapshot = folder / "cluster.json"
    snapshot.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [KUBEVIRT, *CLUSTER]}))
    children: list[Child] = []

    def serve(*arguments: str | Path) -> Server:
        port = free_port()
        options = ["serve", "--cluster", str(snapshot), "--address", ADDRESS, "--port", str(port)]
        command = [sys.executable, "-m", "webhook.cli.main", *options, *map(str, arguments)]
        child = spawn("migratability", command, folder / f"server-{port}.log", CHECKOUT, dict(os.environ))
        children.append(child)
        server = Server(port, child)
        await_that(lambda: _ready(server), "answer from /readyz", child)
        return server

    try:
        yield serve
    finally:
        for child in children:
            child.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start servers of the test's own."""
    with serving(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a file that leave it as it was."""
    with serving(tmp_path_factory.mktemp("server")) as start:
        yield start()


def _ready(server: Server) -> bool:
    try:
        return server.request("GET", "/readyz")[0] == 200
    except OSError:
        return False
