"""Clients that connect and say nothing must not keep others from their answer.

kube-apiserver leaves such TLS connections behind; with gunicorn's own thread worker each of them holds a thread, and
with as many as there are threads the webhook never answers again.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.build import disk, review, vm
from tests.server.conftest import Server, send
from webhook.server.run import THREADS

MANY = 2 * THREADS

Open = Callable[[Server, ExitStack], None]


def tls(server: Server, stack: ExitStack) -> None:
    """Finish the handshake, then send nothing."""
    stack.enter_context(server.handshake())


def tcp(server: Server, stack: ExitStack) -> None:
    """Connect, then send nothing."""
    stack.enter_context(server.silent())


def kept_alive(server: Server, stack: ExitStack) -> None:
    """Ask once and keep the connection."""
    connection = server.connect()
    stack.callback(connection.close)
    assert send(connection, "GET", "/livez")[0] == 200


IDLE: dict[str, tuple[Open, ...]] = {
    "after their TLS handshake": (tls,),
    "before their TLS handshake": (tcp,),
    "kept alive after a request": (kept_alive,),
    "of every sort": (tls, tcp, kept_alive),
}


@pytest.fixture
def idle() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("sorts", IDLE.values(), ids=IDLE)
def test_a_request_is_answered_beside_idle_connections(
    server: Server, idle: ExitStack, sorts: tuple[Open, ...]
) -> None:
    for open_one in sorts:
        for _ in range(MANY):
            open_one(server, idle)
    assert server.validate(review(vm(disk("once"))))["allowed"] is False


def test_an_idle_connection_is_answered_when_it_speaks_at_last(server: Server, idle: ExitStack) -> None:
    connections = [idle.enter_context(server.handshake()) for _ in range(MANY)]
    for connection in connections:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert {connection.recv(12) for connection in connections} == {b"HTTP/1.1 200"}
