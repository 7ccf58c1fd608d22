"""Running the server until SIGTERM."""

from __future__ import annotations

import resource
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger

from webhook.server.app import State, make_app
from webhook.server.logs import JsonFormatter
from webhook.server.tls import TlsContext
from webhook.server.worker import IdleTolerantWorker

THREADS = 32
CONNECTIONS = 1000
KEEPALIVE_SECONDS = 120
"""Longer than the 90 s for which kube-apiserver keeps an idle connection: it must be the side that closes."""
GRACE_SECONDS = 25
READY_SECONDS = 3.0
"""How long a starting process leaves connections in the listening socket's queue before it accepts them unready."""
_PAUSE = 0.01
_MEMORY = Path("/dev/shm")

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@dataclass(frozen=True, slots=True)
class Server:
    """What to serve and where.

    ``make_state`` is called in the worker process, after the fork; ``on_stop`` there on SIGTERM, in the signal handler,
    and ``on_exit`` once it has answered the requests that had begun.
    """

    address: str
    port: int
    tls: TlsContext
    make_state: Callable[[], State]
    on_stop: Callable[[], None] = lambda: None
    on_exit: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Serve until SIGTERM or Ctrl-C, answer the requests that have begun, then end the process."""
        _allow_open_files(2 * CONNECTIONS)
        _Application(self).run()


def _allow_open_files(wanted: int) -> None:
    """A shell often allows 1,024 open files: too few for our connections and those to the API server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def _await_ready(state: State) -> None:
    """Return once a process can answer, or after READY_SECONDS: then /readyz says what it waits for.

    A worker that replaces a killed one is called at once, because its replica still counts as ready; a connection
    accepted before it has its certificate would fail at the handshake. Readiness depends on caches, certificate and
    webhook configurations, for which no single event exists, so it is polled.
    """
    deadline = time.monotonic() + READY_SECONDS
    while state.unready() and time.monotonic() < deadline:
        time.sleep(_PAUSE)


class _TlsConfig(Config):  # type: ignore[misc]
    """gunicorn switches TLS on only where it has certificate files; ours are in the context."""

    is_ssl = True


class _JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines, as JSON."""

    def setup(self, cfg: Config) -> None:
        """Set up the handlers, then their format."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())


class _Application(BaseApplication):  # type: ignore[misc]
    def __init__(self, server: Server) -> None:
        self._server = server
        super().__init__()

    def load_default_config(self) -> None:
        self.cfg = _TlsConfig(self.usage, prog=self.prog)

    def load_config(self) -> None:
        host = f"[{self._server.address}]" if ":" in self._server.address else self._server.address
        options: dict[str, Any] = {
            "bind": f"{host}:{self._server.port}",
            "worker_class": IdleTolerantWorker,
            "workers": 1,
            "threads": THREADS,
            "worker_connections": CONNECTIONS,
            "keepalive": KEEPALIVE_SECONDS,
            "timeout": 30,
            "graceful_timeout": GRACE_SECONDS,
            "worker_tmp_dir": str(_MEMORY) if _MEMORY.is_dir() else None,
            "control_socket_disable": True,
            "ssl_context": self._ssl_context,
            "logger_class": _JsonLogger,
            "proc_name": "migratability",
            "worker_exit": lambda _arbiter, _worker: self._server.on_exit(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        state = self._server.make_state()
        _await_ready(state)
        self._server.tls.current()  # of concurrent first handshakes only one would load the new certificate
        app = make_app(state)
        clients = self._server.tls.clients
        return clients.guard(app) if clients else app

    def on_stop(self) -> None:
        self._server.on_stop()

    def _ssl_context(self, _config: object, _default: object) -> ssl.SSLContext:
        return self._server.tls.current()
