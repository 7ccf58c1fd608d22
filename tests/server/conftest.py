"""A real server process over a snapshot, on loopback."""

import http.client
import json
import os
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.admission.client import KUBEVIRT
from tests.build import CLUSTER, Object
from tests.localcluster.installation import free_port
from tests.localcluster.probes import unverified
from tests.localcluster.processes import Child, spawn

CHECKOUT = Path(__file__).parents[2]
ADDRESS = "127.0.0.1"
DEADLINE = 120.0


@dataclass
class Server:
    """A server process and its log."""

    port: int
    child: Child
    context: ssl.SSLContext = field(default_factory=unverified)

    def connect(self) -> http.client.HTTPSConnection:
        """Return a new connection, not yet open."""
        return http.client.HTTPSConnection(ADDRESS, self.port, timeout=DEADLINE, context=self.context)

    def handshake(self) -> ssl.SSLSocket:
        """Return a new TLS connection."""
        return self.context.wrap_socket(self.silent())

    def silent(self) -> socket.socket:
        """Return a new TCP connection."""
        return socket.create_connection((ADDRESS, self.port), timeout=DEADLINE)

    def request(self, method: str, path: str, body: Object | None = None) -> tuple[int, str]:
        """Return status and body of the answer to one request on a new connection."""
        with closing(self.connect()) as connection:
            return send(connection, method, path, body)

    def answers(self, path: str) -> bool:
        """Return whether a GET is answered with 200."""
        try:
            return self.request("GET", path)[0] == 200
        except OSError:
            return False

    def validate(self, review: Object) -> Object:
        """Return the AdmissionResponse of /validate."""
        status, text = self.request("POST", "/validate", review)
        assert status == 200, text
        return dict(json.loads(text)["response"])

    def terminate(self) -> None:
        """Send SIGTERM; returns once the server has noticed."""
        self.child.process.terminate()
        self.await_log("Handling signal: term")

    def denies_connections(self) -> bool:
        """Say whether nobody listens any more."""
        try:
            self.silent().close()
        except ConnectionRefusedError:
            return True
        return False

    def log(self) -> str:
        """Return the log so far."""
        return self.child.log.read_text(errors="replace")

    def await_log(self, words: str) -> None:
        """Return when the log holds the words."""
        await_that(lambda: words in self.log(), f"{words!r} in the log", self.child)


Serve = Callable[..., Server]


def send(connection: http.client.HTTPConnection, method: str, path: str, body: Object | None = None) -> tuple[int, str]:
    """Return status and body of the answer to a request on an open connection."""
    content = None if body is None else json.dumps(body)
    connection.request(method, path, content, {"Content-Type": "application/json"})
    with connection.getresponse() as answer:
        return answer.status, answer.read().decode()


def await_that(condition: Callable[[], bool], what: str, child: Child) -> None:
    """Return when the condition holds; fails after the deadline, or when the process ends."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert child.process.poll() is None, f"the server ended while waiting for {what}:\n{child.tail()}"
        assert time.monotonic() < deadline, f"no {what} within {DEADLINE:g} s:\n{child.tail()}"
        time.sleep(0.02)


@contextmanager
def running(folder: Path, port: int, command: Sequence[str], probe: str) -> Iterator[Server]:
    """Run Python with these arguments as a server, from when it answers a probe."""
    log, environment = folder / f"server-{port}.log", {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    server = Server(port, spawn("migratability", [sys.executable, *command], log, CHECKOUT, environment))
    try:
        await_that(lambda: server.answers(probe), f"answer from {probe}", server.child)
        yield server
        assert "Exception in worker process" not in server.log()
    finally:
        server.child.stop()


def serving(folder: Path, *arguments: str | Path) -> AbstractContextManager[Server]:
    """Run `migratability serve` with further arguments."""
    snapshot, port = folder / "cluster.json", free_port(ADDRESS)
    snapshot.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [KUBEVIRT, *CLUSTER]}))
    options = ["serve", "--cluster", str(snapshot), "--address", ADDRESS, "--port", str(port)]
    return running(folder, port, ["-m", "webhook.cli.main", *options, *map(str, arguments)], "/readyz")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Servers, connections and threads that end with the test."""
    with ExitStack() as held:
        yield held


@pytest.fixture
def serve(tmp_path: Path, stack: ExitStack) -> Serve:
    """Start servers for one test."""
    return lambda *arguments: stack.enter_context(serving(tmp_path, *arguments))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests of a file that leave it as it was."""
    with serving(tmp_path_factory.mktemp("server")) as started:
        yield started
