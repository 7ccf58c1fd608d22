"""A webhook that allows everything and keeps in mind what it was asked about, for tests of the conditions alone."""

import base64
import json
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self

from tests.build import Object
from tests.localcluster.credentials import CA
from webhook.controller.webhook_configurations import webhook_configurations


class CountingWebhook:
    """Answers on loopback; ``asked`` holds the path and the field manager of each request."""

    def __init__(self, directory: Path) -> None:
        """Take a folder for the certificate."""
        self.asked: set[tuple[str, str]] = set()
        self._ca = CA("counting webhook")
        identity = self._ca.server("counting", ["127.0.0.1"])
        (directory / "counting.pem").write_bytes(identity.certificate + identity.key)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(directory / "counting.pem")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def configurations(self) -> list[Object]:
        """Return our webhook configurations, which call this server."""
        service = {"namespace": "migratability", "name": "webhook", "port": 8443}
        found = webhook_configurations(service, base64.b64encode(self._ca.pem).decode())
        for webhook in (webhook for configuration in found for webhook in configuration["webhooks"]):
            client = webhook["clientConfig"]
            address = f"https://127.0.0.1:{self._server.server_address[1]}{client['service']['path']}"
            webhook["clientConfig"] = {"url": address, "caBundle": client["caBundle"]}
        return found

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Allow it."""
                review: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked.add((self.path.partition("?")[0], review["request"]["options"].get("fieldManager", "")))
                review["response"] = {"uid": review.pop("request")["uid"], "allowed": True}
                body = json.dumps(review).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        return Handler
