"""Clients that hold connections without asking anything: others must be answered all the same."""

import resource
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.server.conftest import DEADLINE, Serve, Server, await_that
from webhook.server.run import CONNECTIONS, GRACE_SECONDS, THREADS

SLOW = 2 * THREADS
SILENT = CONNECTIONS + 100


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


def dribble(connection: ssl.SSLSocket, words: bytes, stop: threading.Event) -> None:
    with suppress(OSError):
        for index in range(len(words)):
            connection.sendall(words[index : index + 1])
            if stop.wait(0.4):
                return


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"POST /validate HTTP/1.1\r\nX-Slow: " + b"x" * 200, id="in the header"),
        pytest.param(b"POST /validate HTTP/1.1\r\nContent-Length: 200\r\n\r\n" + b" " * 200, id="in the body"),
    ],
)
def test_a_request_is_answered_while_more_clients_than_threads_send_a_byte_now_and_then(
    serve: Serve, stack: ExitStack, words: bytes
) -> None:
    server, stop = serve(), threading.Event()
    head, tail = words[:50], words[50:]
    for _ in range(SLOW):
        connection = stack.enter_context(server.handshake())
        connection.sendall(head)
        thread = threading.Thread(target=dribble, args=(connection, tail, stop))
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)

    assert server.request("GET", "/livez")[0] == 200


def test_a_request_is_answered_while_more_connections_than_we_hold_say_nothing(serve: Serve, stack: ExitStack) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < SILENT + 100:
        pytest.skip(f"this user may open {hard} files only, the test needs {SILENT + 100}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = serve()
    for _ in range(SILENT):
        stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE))

    assert server.request("GET", "/livez")[0] == 200


def test_a_request_is_answered_while_clients_stop_in_the_middle_of_the_handshake(
    serve: Serve, stack: ExitStack
) -> None:
    server = serve()
    for _ in range(THREADS):
        connection = stack.enter_context(server.silent())
        connection.sendall(b"\x16\x03\x01\x02\x00\x01")

    assert server.request("GET", "/livez")[0] == 200


def test_idle_connections_do_not_hold_up_the_end(serve: Serve, stack: ExitStack) -> None:
    server: Server = serve()
    stack.enter_context(server.handshake())
    stack.enter_context(server.silent())

    server.child.process.send_signal(signal.SIGTERM)

    assert server.child.process.wait(GRACE_SECONDS - 10) == 0


def test_a_server_that_ends_takes_no_new_connections(serve: Serve, stack: ExitStack) -> None:
    server: Server = serve()
    busy = stack.enter_context(server.handshake())
    busy.sendall(b"POST /validate HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{")
    server.child.process.send_signal(signal.SIGTERM)
    server.await_log("Handling signal: term")

    await_that(lambda: is_denied(server), "denied connection", server.child)


def is_denied(server: Server) -> bool:
    try:
        server.silent().close()
    except ConnectionRefusedError:
        return True
    return False
