"""Client certificates: where they are asked for, only a client that shows one may have its objects evaluated.

kube-apiserver shows one where its AdmissionConfiguration names a kubeconfig with one. The kubelet's probes and anyone who
reads metrics have none, so it is asked for at the handshake and demanded by the request.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certs.pem import CertificateError, read_pem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Clients:
    """Who may call: clients with a certificate of the CAs in the file, and of one of the common names.

    No names: any that the CAs signed.
    """

    ca_file: Path
    names: frozenset[str] = frozenset()

    def read(self) -> bytes:
        """Return the present content of the file; raises CertificateError."""
        return read_pem(self.ca_file)

    def ask(self, context: ssl.SSLContext, ca_certificates: bytes) -> None:
        """Let a context ask its clients for a certificate and verify it; raises CertificateError.

        A handshake with a certificate of another CA fails, one without a certificate does not.
        """
        try:
            context.load_verify_locations(cadata=ca_certificates.decode("ascii"))
        except (ssl.SSLError, ValueError) as error:
            raise CertificateError(f"{self.ca_file}: no certificates of CAs: {error}") from error
        context.verify_mode = ssl.CERT_OPTIONAL

    def why_not(self, shown: Mapping[str, Any] | None) -> str | None:
        """Return why the client may not call, or None; ``shown`` is its certificate as ssl gives it once verified."""
        if not shown:
            return "a client certificate is needed"
        names = {value for part in shown["subject"] for kind, value in part if kind == "commonName"}
        if self.names and not names & self.names:
            return f"the client certificate is that of {', '.join(sorted(names)) or 'nobody'}, who may not call"
        return None

    def guard(self, app: WSGIApplication) -> WSGIApplication:
        """Return the app, answering 403 to every POST of a client that may not call."""

        def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] == "POST":
                reason = self.why_not(environ["gunicorn.socket"].getpeercert())
                if reason:
                    log.warning("denied a call from %s: %s", environ.get("REMOTE_ADDR"), reason)
                    start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
                    return [reason.encode()]
            return app(environ, start_response)

        return guarded
