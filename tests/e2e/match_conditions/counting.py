"""A webhook that allows everything and keeps in mind what it was asked about, for tests of the conditions alone."""

import base64
import json
from pathlib import Path
from threading import Thread
from typing import Any, Self

from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.build import Object
from tests.localcluster.credentials import CA
from webhook.controller.webhook_configurations import webhook_configurations


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """Keep quiet."""


class CountingWebhook:
    """Answers on loopback; ``asked`` holds the path and the field manager of each request."""

    def __init__(self, directory: Path) -> None:
        """Take a folder for the certificate."""
        self.asked: set[tuple[str, str]] = set()
        self._ca = CA("counting webhook")
        identity = self._ca.server("counting", ["127.0.0.1"])
        files = directory / "counting.crt", directory / "counting.key"
        for file, content in zip(files, (identity.certificate, identity.key), strict=True):
            file.write_bytes(content)
        application, tls = Request.application(self._allow), (str(files[0]), str(files[1]))
        self._server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet, ssl_context=tls)

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
            address = f"https://127.0.0.1:{self._server.port}{client['service']['path']}"
            webhook["clientConfig"] = {"url": address, "caBundle": client["caBundle"]}
        return found

    def _allow(self, request: Request) -> Response:
        asked = request.get_json()["request"]
        self.asked.add((request.path, asked["options"].get("fieldManager", "")))
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
        return Response(json.dumps({**review, "response": {"uid": asked["uid"], "allowed": True}}))
