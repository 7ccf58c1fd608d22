"""The few HTTPS calls that bring a cluster up, made without kubectl because dozens of them must be quick."""

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Response:
    """An HTTP answer."""

    status: int
    body: bytes


class Client:
    """Talks to one API server on loopback with a client certificate."""

    def __init__(self, port: int, ca_pem: bytes, certificate: Path, key: Path) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cadata=ca_pem.decode())
        self._tls.load_cert_chain(certificate, key)

    def request(self, method: str, path: str, body: object = None, accept: str = "application/json") -> Response:
        """Send `body` (as JSON) and return the answer, whatever its status.

        Raises OSError or http.client.HTTPException when there is no answer.
        """
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=30, context=self._tls)
        content = None if body is None else json.dumps(body)
        headers = {"Accept": accept, "Content-Type": "application/json"}
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return Response(answer.status, answer.read())
        finally:
            connection.close()
