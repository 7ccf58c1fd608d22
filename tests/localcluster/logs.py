"""What containers write: files that stay, and the part of a kubelet that `kubectl logs` asks for them."""

import re
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.localcluster.api import Object
from tests.localcluster.controlplane import write_identity
from tests.localcluster.credentials import CA

_PATH = re.compile(r"/containerLogs/([^/]+)/([^/]+)/([^/]+)")
_PAUSE = 0.1


@dataclass(frozen=True)
class Logs:
    """The log files in a folder: one folder a pod, one file for each process of a container."""

    folder: Path

    def new(self, pod: Object, container: str, number: int) -> Path:
        """Return the file for the output of a container's n-th process; it stays when the pod goes."""
        metadata = pod["metadata"]
        folder = self.folder / f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{container}.{number}.log"

    def files(self, namespace: str, name: str, container: str | None = None) -> list[Path]:
        """Return the files of the latest pod of that name, in the order in which they were last written."""
        folders = sorted(self.folder.glob(f"{namespace}_{name}_*"), key=_modified)
        return sorted(folders[-1].glob(f"{container or '*'}.*.log"), key=_modified) if folders else []

    def text(self, namespace: str, name: str, container: str | None = None) -> str:
        """Return what they hold."""
        return "".join(path.read_text(errors="replace") for path in self.files(namespace, name, container))


class LogServer:
    """Answers the API server on a port of 127.0.0.1.

    `running` says whether a container of a pod runs: namespace, pod, container.
    """

    def __init__(self, logs: Logs, running: Callable[[str, str, str], bool]) -> None:
        self.logs = logs
        self.running = running
        self.stopped = threading.Event()
        self._server = _Server(self)
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="logs", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self.logs.folder.mkdir(parents=True, exist_ok=True)
        stem = self.logs.folder / "server"
        write_identity(stem, CA("kubelets").server("kubelets", ["127.0.0.1"]))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(stem.with_suffix(".crt"), stem.with_suffix(".key"))
        listener = self._server.socket
        self._server.socket = context.wrap_socket(listener, server_side=True, do_handshake_on_connect=False)
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: LogServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    def handle_error(self, request: object, client_address: object) -> None:
        """Anyone who asked has gone."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 30

    def do_GET(self) -> None:
        """Send the output of a container's latest process, or of the one before; on request as it goes on."""
        url = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        found = _PATH.fullmatch(url.path)
        assert isinstance(self.server, _Server)
        owner = self.server.owner
        which = -2 if query.get("previous") == "true" else -1
        files = owner.logs.files(*found.groups()) if found else []
        if found is None or len(files) < -which:
            self.send_error(404, "there is no such log")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        follow = query.get("follow") == "true"
        with files[which].open("rb") as file:
            content = file.read()
            if "tailLines" in query:
                lines = content.splitlines(keepends=True)
                content = b"".join(lines[max(0, len(lines) - int(query["tailLines"])) :])
            self.wfile.write(content)
            while follow and not owner.stopped.is_set():
                follow = owner.running(*found.groups())
                self.wfile.write(file.read())
                time.sleep(_PAUSE)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _modified(path: Path) -> float:
    return path.stat().st_mtime
