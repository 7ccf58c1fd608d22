"""The TLS context of one process; a replaced certificate is served from the next handshake on."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from certs import Leaf, self_signed

WAIT_SECONDS = 2.0
_SELF_SIGNED_LIFETIME = timedelta(days=365)

log = logging.getLogger(__name__)


class CertificateError(ValueError):
    """The certificate cannot be served; the message names the files and says why."""


class DeadlineSocket(ssl.SSLSocket):
    """A TLS socket on which no wait is for ever: two seconds for one read, and a deadline for a whole request.

    So a client that is silent, or sends a byte now and then, holds no thread for longer.
    """

    _read_by: float | None = None

    def must_be_read_by(self, deadline: float) -> None:
        """Let reads fail from a time on the monotonic clock on."""
        self._read_by = deadline

    def settimeout(self, value: float | None) -> None:
        """Set the timeout; None sets the longest wait."""
        super().settimeout(WAIT_SECONDS if value is None else value)

    def setblocking(self, flag: bool) -> None:
        """Make the socket non-blocking, or blocking for the longest wait."""
        self.settimeout(None if flag else 0.0)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Read; raises TimeoutError once the deadline has passed."""
        if self._read_by is not None and time.monotonic() > self._read_by:
            raise TimeoutError("the client takes too long to send its request")
        return super().recv(buflen, flags)


class TlsContext:
    """What gunicorn serves every connection with."""

    def __init__(self, files: tuple[Path, Path] | None, address: str) -> None:
        """Load the certificate and key files, or make a self-signed certificate for the address in memory.

        Raises CertificateError.
        """
        self._files = files
        self._lock = threading.Lock()
        self._complaint = ""
        if files is None:
            self._seen = self_signed({address, "localhost", "127.0.0.1"}, _SELF_SIGNED_LIFETIME)
        else:
            self._seen = _read(files)
        self._context = _context(self._seen, files)

    def current(self) -> ssl.SSLContext:
        """Return the context with the files' present content, where that is usable.

        Called at every handshake. While a new pair is half written or does not fit, the old one is served.
        """
        if self._files is not None and self._lock.acquire(blocking=False):
            try:
                self._follow(self._files)
            finally:
                self._lock.release()
        return self._context

    def _follow(self, files: tuple[Path, Path]) -> None:
        """A context in use is never changed: between certificate and key it would fail the handshakes of the moment."""
        try:
            present = _read(files)
            if present == self._seen:
                return
            self._seen = present
            self._context = _context(present, files)
            self._complaint = ""
            log.info("serving a new certificate")
        except CertificateError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                log.warning("still serving the old certificate: %s", error)


def _read(files: tuple[Path, Path]) -> Leaf:
    try:
        return Leaf(*(file.read_bytes() for file in files))
    except OSError as error:
        raise CertificateError(f"{error.filename}: {error.strerror}") from error


def _context(leaf: Leaf, files: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = DeadlineSocket
    try:
        leaf.load_into(context)
    except (ssl.SSLError, ValueError) as error:
        names = " and ".join(str(file) for file in files or ())
        raise CertificateError(f"{names}: no certificate with its key: {error}") from error
    return context
