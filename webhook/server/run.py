"""Running the server until it is told to stop."""

from __future__ import annotations

import logging
import resource
import ssl
import sys
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
"""For how long a process that begins lets its callers wait in the listening socket until it can answer them."""
_PAUSE = 0.01
_MEMORY = Path("/dev/shm")

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@dataclass(frozen=True, slots=True)
class Server:
    """What to serve and where.

    ``make_state`` is called in the process that answers, after the fork; ``on_stop`` there when it is told to stop,
    within a signal handler, and ``on_exit`` when it has answered what was begun.
    """

    address: str
    port: int
    tls: TlsContext
    make_state: Callable[[], State]
    on_stop: Callable[[], None] = lambda: None
    on_exit: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Serve until SIGTERM or Ctrl-C, then answer what was begun; ends the process."""
        configure_logging()
        _allow_open_files(2 * CONNECTIONS)
        _Application(self).run()


def _allow_open_files(wanted: int) -> None:
    """A shell often allows 1,024 open files, fewer than our connections and those to the API server may need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def configure_logging() -> None:
    """Send every log record to stderr as one line of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _await_ready(state: State) -> None:
    """Return when a process can answer, or after a while: then it says what it waits for.

    One that takes the place of another that was killed is called at once, since its replica still counts as ready; what
    it took before it has its certificate would fail at the handshake. Readiness hangs on caches, certificate and
    webhook configurations, which no one event stands for, so it is asked for again and again.
    """
    deadline = time.monotonic() + READY_SECONDS
    while state.unready() and time.monotonic() < deadline:
        time.sleep(_PAUSE)


class _TlsConfig(Config):  # type: ignore[misc]
    """gunicorn takes TLS to be on where it knows certificate files; ours stand in the context."""

    is_ssl = True


class _JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines, as JSON like all others."""

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
        self._server.tls.current()  # of many first handshakes at once only one would take the new certificate
        app = make_app(state)
        clients = self._server.tls.clients
        return clients.guard(app) if clients else app

    def on_stop(self) -> None:
        """Hear from the worker that it was told to stop."""
        self._server.on_stop()

    def _ssl_context(self, _config: object, _default: object) -> ssl.SSLContext:
        return self._server.tls.current()
