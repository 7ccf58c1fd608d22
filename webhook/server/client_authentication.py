"""Client authentication: only clients with an allowed certificate may POST.

kube-apiserver shows a certificate where its AdmissionConfiguration names a kubeconfig that holds one. The kubelet and
Prometheus have none, so the handshake requests it and each POST requires it.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certs.pem import CertificateError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Clients:
    """Who may call: clients whose certificate a CA in the file signed, for one of the common names.

    No names: any common name.
    """

    ca_file: Path
    names: frozenset[str] = frozenset()

    def ask(self, context: ssl.SSLContext, ca_certificates: bytes) -> None:
        """Make a context request and verify a client certificate; raises CertificateError.

        A handshake with a certificate of another CA fails; one without a certificate does not.
        """
        try:
            context.load_verify_locations(cadata=ca_certificates.decode("ascii"))
        except (ssl.SSLError, ValueError) as error:
            raise CertificateError(f"{self.ca_file}: no CA certificates: {error}") from error
        context.verify_mode = ssl.CERT_OPTIONAL

    def why_not(self, shown: Mapping[str, Any] | None) -> str | None:
        """Return why the client may not call, or None; ``shown`` is its verified certificate as ssl returns it."""
        if not shown:
            return "a client certificate is required"
        names = {value for part in shown["subject"] for kind, value in part if kind == "commonName"}
        if self.names and not names & self.names:
            return f"the client certificate is for {', '.join(sorted(names)) or 'no common name'}, which may not call"
        return None

    def guard(self, app: WSGIApplication) -> WSGIApplication:
        """Return the app, which then answers 403 to every POST of a client that may not call."""

        def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] == "POST":
                reason = self.why_not(environ["gunicorn.socket"].getpeercert())
                if reason:
                    log.warning("denied a request from %s: %s", environ.get("REMOTE_ADDR"), reason)
                    start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
                    return [reason.encode()]
            return app(environ, start_response)

        return guarded
