"""One live TLS context a process; a replaced certificate is served from the next handshake on."""

from __future__ import annotations

import logging
import ssl
from datetime import timedelta
from pathlib import Path

from certs import Leaf, self_signed

HANDSHAKE_AND_READ_SECONDS = 2.0
_SELF_SIGNED_LIFETIME = timedelta(days=365)

log = logging.getLogger(__name__)


class CertificateError(ValueError):
    """The certificate cannot be served; the message names the files and says why."""


class DeadlineSocket(ssl.SSLSocket):
    """A TLS socket on which "wait for ever" means two seconds, so that a silent client holds no thread for longer."""

    def settimeout(self, value: float | None) -> None:
        """Set the timeout; None sets the deadline."""
        super().settimeout(HANDSHAKE_AND_READ_SECONDS if value is None else value)

    def setblocking(self, flag: bool) -> None:
        """Make the socket non-blocking, or blocking up to the deadline."""
        self.settimeout(None if flag else 0.0)


class TlsContext:
    """The context that gunicorn serves every connection with."""

    def __init__(self, files: tuple[Path, Path] | None, address: str) -> None:
        """Load the certificate and key files, or make a self-signed certificate for the address in memory.

        Raises CertificateError.
        """
        self._files = files
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.sslsocket_class = DeadlineSocket
        if files is None:
            self_signed({address, "localhost", "127.0.0.1"}, _SELF_SIGNED_LIFETIME).load_into(self.context)
            return
        self._loaded = self._read(files)
        self._load(self._loaded)

    def current(self) -> ssl.SSLContext:
        """Return the context, with the files' present content where that is usable.

        Called at every handshake. While a new pair is half written or does not fit, the old one is served.
        """
        if self._files is not None:
            try:
                present = self._read(self._files)
                if present != self._loaded:
                    self._load(present)
                    self._loaded = present
                    log.info("serving a new certificate")
            except CertificateError as error:
                log.warning("still serving the old certificate: %s", error)
        return self.context

    def _read(self, files: tuple[Path, Path]) -> Leaf:
        try:
            return Leaf(*(file.read_bytes() for file in files))
        except OSError as error:
            raise CertificateError(f"{error.filename}: {error.strerror}") from error

    def _load(self, leaf: Leaf) -> None:
        """A pair is tried on a context of its own: a pair that does not fit must not spoil the one in service."""
        try:
            leaf.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            leaf.load_into(self.context)
        except (ssl.SSLError, ValueError) as error:
            names = " and ".join(str(file) for file in self._files or ())
            raise CertificateError(f"{names}: no certificate with its key: {error}") from error
