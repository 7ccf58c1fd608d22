"""Ports, children and credentials of the local control plane, without starting it."""

import os
import signal
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509

from tests.localcluster.credentials import CA
from tests.localcluster.processes import Child, ReservedPort, spawn

pytestmark = pytest.mark.cluster


def test_a_reserved_port_is_not_given_to_anyone_else() -> None:
    reserved = ReservedPort()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", reserved.number))
    reserved.release()


def test_a_reserved_port_is_free_for_the_program_that_shares_it() -> None:
    reserved = ReservedPort()
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", reserved.number))
        server.listen()
        with socket.create_connection(("127.0.0.1", reserved.number), timeout=10):
            server.accept()[0].close()
    reserved.release()


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_child_outlives_the_thread_that_asked_for_it(pipe: Path) -> None:
    script = f'trap "exit 7" TERM; echo ready > {pipe}; while :; do sleep 0.1; done'
    children: list[Child] = []
    thread = threading.Thread(target=lambda: children.append(_shell(script, pipe)))
    thread.start()
    thread.join()
    assert pipe.read_text() == "ready\n"
    children[0].stop()
    assert children[0].process.returncode == 7, "it ended by our signal, not by the kernel's"


def test_a_child_that_ignores_sigterm_is_killed(pipe: Path) -> None:
    child = _shell(f"trap '' TERM; echo ready > {pipe}; while :; do sleep 0.1; done", pipe)
    assert pipe.read_text() == "ready\n"
    child.stop(grace=0)
    assert child.process.returncode == -signal.SIGKILL


def _shell(script: str, pipe: Path) -> Child:
    return spawn("child", ["/bin/sh", "-c", script], pipe.with_name("log"), pipe.parent)


def test_a_server_certificate_names_its_hosts() -> None:
    identity = CA("test").server("server", ["127.96.0.1", "kubernetes.default.svc"])
    certificate = x509.load_pem_x509_certificate(identity.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["127.96.0.1", "kubernetes.default.svc"]


def test_a_client_certificate_holds_user_and_groups() -> None:
    identity = CA("test").client("alice", ["staff", "platform-users"])
    certificate = x509.load_pem_x509_certificate(identity.certificate)
    assert certificate.subject.rfc4514_string() == "CN=alice,O=platform-users,O=staff"


def test_a_name_too_long_for_a_certificate_is_denied() -> None:
    with pytest.raises(ValueError, match="64"):
        CA("test").client("x" * 65)


def test_certificates_pass_the_strictest_check_of_python(tmp_path: Path) -> None:
    ca = CA("test")
    identity = ca.server("server", ["localhost"])
    (tmp_path / "both.pem").write_bytes(identity.certificate + identity.key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "both.pem")
    client = ssl.create_default_context(cadata=ca.pem.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    _shake_hands(client, server)


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    far = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [near, far]
    while waiting:
        for side in list(waiting):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(side)
