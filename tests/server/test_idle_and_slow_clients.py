"""Clients that connect and send nothing, or send it slowly, must not keep others from their answer."""

import resource
import ssl
import threading
from contextlib import ExitStack, suppress
from types import SimpleNamespace

import pytest

from tests.build import disk, review, vm
from tests.server.conftest import Serve, Server, send
from webhook.server.run import CONNECTIONS, GRACE_SECONDS, KEEPALIVE_SECONDS, THREADS
from webhook.server.worker import SILENT_SECONDS, STOP_SILENT_SECONDS, IdleTolerantWorker

MANY = 2 * THREADS
SILENT = CONNECTIONS + 100


def test_request_is_answered_beside_connections_that_are_idle_at_every_stage(server: Server, stack: ExitStack) -> None:
    for _ in range(MANY):
        connection = server.connect()
        stack.callback(connection.close)
        assert send(connection, "GET", "/livez")[0] == 200
    for _ in range(MANY):
        stack.enter_context(server.handshake())
        stack.enter_context(server.silent())
        stack.enter_context(server.silent()).sendall(b"\x16\x03\x01\x02\x00\x01")
    assert server.validate(review(vm(disk("once"))))["allowed"] is False


def test_idle_connection_is_answered_once_it_sends_a_request(server: Server, stack: ExitStack) -> None:
    connections = [stack.enter_context(server.handshake()) for _ in range(MANY)]
    for connection in connections:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert {connection.recv(12) for connection in connections} == {b"HTTP/1.1 200"}


def dribble(connection: ssl.SSLSocket, words: bytes, stop: threading.Event) -> None:
    with suppress(OSError):
        for index in range(len(words)):
            connection.sendall(words[index : index + 1])
            if stop.wait(0.4):
                return


IN_THE_HEADER = b"POST /validate HTTP/1.1\r\nX-Slow: " + b"x" * 2000
IN_THE_BODY = b"POST /validate HTTP/1.1\r\nContent-Length: 2000\r\n\r\n" + b" " * 2000


def test_request_is_answered_while_more_clients_than_threads_send_a_byte_now_and_then(
    serve: Serve, stack: ExitStack
) -> None:
    server, stop = serve(), threading.Event()
    for words in [IN_THE_HEADER, IN_THE_BODY] * (THREADS + 1):
        connection = stack.enter_context(server.handshake())
        connection.sendall(words[:50])
        thread = threading.Thread(target=dribble, args=(connection, words[50:], stop))
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)
    assert server.request("GET", "/livez")[0] == 200


def test_request_is_answered_while_more_connections_than_the_limit_are_silent(serve: Serve, stack: ExitStack) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < SILENT + 100:
        pytest.skip(f"this user may open {hard} files only, the test needs {SILENT + 100}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = serve()
    for _ in range(SILENT):
        stack.enter_context(server.silent())
    assert server.request("GET", "/livez")[0] == 200
    assert server.log().count("Booting worker") == 1


def test_connections_without_a_handshake_do_not_delay_the_end(serve: Serve, stack: ExitStack) -> None:
    server: Server = serve()
    stack.enter_context(server.silent())
    server.terminate()
    assert server.child.process.wait(GRACE_SECONDS - 10) == 0


def test_stopping_server_counts_the_silence_of_a_connection_from_its_last_request() -> None:
    worker = IdleTolerantWorker.__new__(IdleTolerantWorker)
    worker.cfg = SimpleNamespace(keepalive=KEEPALIVE_SECONDS)
    last_requests = {"long silent": -60.0, "silent since it left the endpoints": -9.0, "just used": 0.0}
    conns = [SimpleNamespace(timeout=last + KEEPALIVE_SECONDS) for last in last_requests.values()]
    worker.keepalived_conns = conns
    worker._cap_keepalive(2.0)
    assert [conn.timeout for conn in conns] == [2.0, 2.0, STOP_SILENT_SECONDS]


def test_silent_connection_stays_open_for_less_time_before_its_handshake_and_in_a_stopping_server() -> None:
    worker = IdleTolerantWorker.__new__(IdleTolerantWorker)
    worker.cfg = SimpleNamespace(keepalive=KEEPALIVE_SECONDS)
    before, after = (SimpleNamespace(initialized=initialized) for initialized in (False, True))
    for alive, seconds in ((True, KEEPALIVE_SECONDS), (False, STOP_SILENT_SECONDS)):
        worker.alive = alive
        assert (worker._patience(before), worker._patience(after)) == (SILENT_SECONDS, seconds)
