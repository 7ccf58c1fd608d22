"""The TLS context of one process; a replaced certificate is served from the next handshake on."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from certs import CertificateError, Leaf, self_signed
from certs.pem import read_pem
from webhook.server.client_authentication import Clients

WAIT_SECONDS = 2.0
TLS_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
"""The minimum versions that the installation can choose from."""
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has nothing else."""
_SELF_SIGNED_LIFETIME = timedelta(days=365)

log = logging.getLogger(__name__)


class DeadlineSocket(ssl.SSLSocket):
    """A TLS socket with a limit to every wait: two seconds for one read, and a deadline for a whole request.

    A client that is silent, or sends a byte now and then, cannot hold a thread for longer.
    """

    _read_by: float | None = None

    def must_be_read_by(self, deadline: float) -> None:
        """Make reads fail after a time on the monotonic clock."""
        self._read_by = deadline

    def settimeout(self, value: float | None) -> None:
        """Set the timeout; None sets WAIT_SECONDS."""
        super().settimeout(WAIT_SECONDS if value is None else value)

    def setblocking(self, flag: bool) -> None:
        """Make the socket non-blocking, or blocking for WAIT_SECONDS."""
        self.settimeout(None if flag else 0.0)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Read; raises TimeoutError once the deadline has passed."""
        if self._read_by is not None and time.monotonic() > self._read_by:
            raise TimeoutError("the client takes too long to send its request")
        return super().recv(buflen, flags)


class Certificates(Protocol):
    """Something that decides what is served, such as ``certs.Serving``."""

    def current(self) -> Leaf | None:
        """Return the leaf to serve; None where there is none yet."""


class TlsContext:
    """What gunicorn serves every connection with."""

    def __init__(
        self,
        source: tuple[Path, Path] | Certificates | None,
        address: str,
        *,
        minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
        clients: Clients | None = None,
    ) -> None:
        """Load the certificate and key files, or what the source has to serve.

        Without a source, and while it has nothing, a self-signed certificate in memory is served, so that GET /readyz
        can say why. Raises CertificateError.
        """
        self._leaf, self._what = _reader(source, address)
        self._minimum, self.clients = minimum, clients
        self._lock = threading.Lock()
        self._complaint = ""
        self._seen = self._present()
        self._context = self._make(*self._seen)

    def current(self) -> ssl.SSLContext:
        """Return the context to serve with.

        Called at every handshake; parses nothing while nothing has changed. The old pair is served while a new one is
        half written or does not match.
        """
        if self._lock.acquire(blocking=False):
            try:
                self._follow()
            finally:
                self._lock.release()
        return self._context

    def _follow(self) -> None:
        """Make a new context: one in use would fail handshakes between the change of its certificate and of its key."""
        try:
            present = self._present()
            if present == self._seen:
                return
            self._seen = present
            self._context = self._make(*present)
            self._complaint = ""
            log.info("serving a new certificate")
        except CertificateError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                log.warning("still serving the old certificate: %s", error)

    def _present(self) -> tuple[Leaf, bytes]:
        return self._leaf(), read_pem(self.clients.ca_file) if self.clients else b""

    def _make(self, leaf: Leaf, ca_certificates: bytes) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = self._minimum
        context.set_ciphers(_CIPHERS)
        context.sslsocket_class = DeadlineSocket
        if self.clients:
            self.clients.ask(context, ca_certificates)
        try:
            leaf.load_into(context)
        except CertificateError as error:
            raise CertificateError(f"{self._what}: {error}") from error
        return context


def _reader(source: tuple[Path, Path] | Certificates | None, address: str) -> tuple[Callable[[], Leaf], str]:
    """Return a function that returns the current leaf, and what to call it in an error."""
    if isinstance(source, tuple):
        files = source
        return lambda: Leaf.read(*files), " and ".join(map(str, files))
    own = self_signed({address, "localhost", "127.0.0.1"}, _SELF_SIGNED_LIFETIME)
    return lambda: (source.current() if source else None) or own, "the certificate"
