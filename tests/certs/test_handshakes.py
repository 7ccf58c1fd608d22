"""Rotations seen by a real TLS client over loopback: OpenSSL agrees with us about trust."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from certs import Lifetimes, Serving, renewed, rotate, union
from tests.certs.build import MINUTE, NAME, NAMES, SECOND, trusting
from webhook.server.tls import TlsContext

LIFETIMES = Lifetimes(9 * MINUTE, 2 * MINUTE, 30 * SECOND)
RECONCILE, LESS_THAN_AN_HOUR = 20 * SECOND, 130
"""OpenSSL uses the real clock. Ours is ahead of it by less than the hour by which certificates are valid early."""


class Server:
    """Shakes hands with one client after the other, as gunicorn does with a context of our own."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self._tls = TlsContext(serving, "127.0.0.1")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            client, _ = self._listener.accept()
            try:
                with self._tls.current().wrap_socket(client, server_side=True) as connection:
                    if connection.recv(1) == b"q":
                        return
            except OSError:
                client.close()

    def shown_to(self, bundle: bytes, name: str = NAME) -> bytes | None:
        """Return the certificate that a client who trusts this bundle is shown; raises ssl.SSLError."""
        return self._connected(trusting(bundle), name, b".")

    def stop(self) -> None:
        """End the server."""
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        self._connected(client, NAME, b"q")
        self._thread.join()
        self._listener.close()

    def _connected(self, client: ssl.SSLContext, name: str, word: bytes) -> bytes | None:
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        with raw, client.wrap_socket(raw, server_hostname=name) as connection:
            connection.sendall(word)
            return connection.getpeercert(binary_form=True)


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a server of what its ``serving`` decides."""
    server = Server(Serving(LIFETIMES.trust_delay, NAME))
    yield server
    server.stop()


def test_clients_that_trust_the_ca_bundle_accept_the_leaf_through_rotations(server: Server) -> None:
    begin = datetime.now(UTC)
    stored, leaf, configured = rotate(None, [], begin, LIFETIMES), None, b""
    ca_certificates, leaves = set(), set()
    for now in (begin + number * RECONCILE for number in range(LESS_THAN_AN_HOUR)):
        bundles = [configured] if configured else []
        stored = rotate(stored, bundles, now, LIFETIMES)
        leaf = renewed(leaf, stored, NAMES, now, LIFETIMES)
        assert leaf
        server.serving.offer(leaf)
        server.serving.observe(bundles, now)
        for bundle in bundles:
            leaves.add(server.shown_to(bundle))
        configured = union(configured, stored.bundle(now), now=now)
        leaves.add(server.shown_to(configured))
        ca_certificates.add(stored.signing)
    assert len(ca_certificates) > 3
    assert len(leaves) > 10


def test_clients_that_trust_another_ca_or_call_another_name_reject_the_leaf(server: Server) -> None:
    now = datetime.now(UTC)
    stored = rotate(None, [], now, LIFETIMES)
    leaf = renewed(None, stored, NAMES, now, LIFETIMES)
    assert leaf
    server.serving.offer(leaf)
    server.serving.observe([], now)
    for bundle, name in ((rotate(None, [], now, LIFETIMES).bundle(now), NAME), (stored.bundle(now), "other.svc")):
        with pytest.raises(ssl.SSLCertVerificationError):
            server.shown_to(bundle, name)
    assert server.shown_to(stored.bundle(now)) == ssl.PEM_cert_to_DER_cert(leaf.chain.decode())
