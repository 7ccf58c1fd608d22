"""HTTPS calls to the API server, made without kubectl because many of them must be quick."""

import http.client
import json
import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Object = dict[str, Any]

NO_ANSWER = (OSError, http.client.HTTPException)
"""What a request raises when there is no answer."""

_WARNING, _ESCAPED = re.compile(r'299 \S+ "(.*)"', re.DOTALL), re.compile(r"\\(.)")
_STRATEGIC_MERGE = "application/strategic-merge-patch+json"


@dataclass(frozen=True)
class Response:
    """An HTTP answer."""

    status: int
    body: bytes
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked."""
        return 200 <= self.status < 300

    def object(self) -> Object:
        """Return the body as a Kubernetes object."""
        found: Object = json.loads(self.body)
        return found


class Client:
    """Talks to one API server on loopback with a client certificate."""

    def __init__(self, port: int, ca_pem: bytes, certificate: Path, key: Path) -> None:
        self.port = port
        self._tls = ssl.create_default_context(cadata=ca_pem.decode())
        self._tls.load_cert_chain(certificate, key)

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        accept: str = "application/json",
        content_type: str | None = None,
    ) -> Response:
        """Send `body` (as JSON; a strategic merge patch where `method` is PATCH) and return the answer.

        Whatever its status. Raises OSError or http.client.HTTPException when there is no answer.
        """
        connection = self.connection(timeout=120)
        content = None if body is None else json.dumps(body)
        content_type = content_type or (_STRATEGIC_MERGE if method == "PATCH" else "application/json")
        try:
            connection.request(method, path, content, {"Accept": accept, "Content-Type": content_type})
            answer = connection.getresponse()
            warnings = (_WARNING.fullmatch(line) for line in answer.headers.get_all("Warning", ()))
            texts = tuple(_ESCAPED.sub(r"\1", found[1]) for found in warnings if found)
            return Response(answer.status, answer.read(), texts)
        finally:
            connection.close()

    def connection(self, timeout: float) -> http.client.HTTPSConnection:
        """Return a new connection, for a request whose answer is read bit by bit."""
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self._tls)


def timestamp(*, micro: bool = False) -> str:
    """Return the time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")
