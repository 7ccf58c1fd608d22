"""gunicorn's thread worker, hardened against clients that connect and send nothing, or send it slowly.

kube-apiserver leaves idle TLS connections behind. The stock worker blocks a thread on each until it stops answering;
here the poller waits, and a thread is used only when there is something to read. Relies on internals of gunicorn 27
(``_DEFER``, ``TConn``, ``pending_conns``, ``nr_conns``, ``_cap_keepalive``); tests with silent clients guard them.
"""

from __future__ import annotations

import time
from typing import Any

from gunicorn.workers import gthread

from webhook.server.tls import DeadlineSocket

SILENT_SECONDS = 5.0
"""How long a connection may stay open without a TLS handshake."""
REQUEST_SECONDS = 5.0
"""How long a client may take to send a request after its first byte."""
STOP_SILENT_SECONDS = 10.0
"""How long a stopping server keeps a silent connection: kube-apiserver does not repeat a POST on one that closes."""
_SWEEP_SECONDS = 0.5
_FULL, _ROOMY = 0.9, 0.7


class IdleTolerantWorker(gthread.ThreadWorker):  # type: ignore[misc]
    """A thread worker that holds no thread for a silent connection, before its TLS handshake or after."""

    nr_conns: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As the stock worker."""
        super().__init__(*args, **kwargs)
        self._swept = 0.0

    def handle(self, conn: Any) -> Any:
        """Answer one request of a connection, or return the connection to the poller while it is silent."""
        if not conn.initialized:
            if not conn.data_ready and not conn.wait_for_data(0):
                return gthread._DEFER
            if not self._shakes_hands(conn):
                return False
            if not conn.wait_for_data(0):
                return gthread._DEFER
        deadline = time.monotonic() + REQUEST_SECONDS
        _must_be_read_by(deadline, conn)
        result = super().handle(conn)
        if time.monotonic() > deadline:
            _must_be_read_by(0.0, conn)
        return result

    def _shakes_hands(self, conn: Any) -> bool:
        conn.sock.setblocking(True)
        try:
            conn.init()
        except OSError as error:
            self.log.debug("no TLS handshake with %s: %s", conn.client, error)
            _must_be_read_by(0.0, conn)
            return False
        conn.data_ready = conn.sock.pending() > 0
        return True

    def murder_pending(self) -> None:
        """Close connections that have been silent for too long, and the oldest ones when the worker is nearly full."""
        now = time.monotonic()
        if now - self._swept < _SWEEP_SECONDS:
            return
        self._swept = now
        full = self.nr_conns > _FULL * self.worker_connections
        surplus = self.nr_conns - int(_ROOMY * self.worker_connections) if full else 0
        for index, conn in enumerate(list(self.pending_conns)):
            silent = now - (conn.timeout - self.cfg.keepalive)
            if index < surplus or silent > self._patience(conn):
                self._drop(conn)

    def _patience(self, conn: Any) -> float:
        if not conn.initialized:
            return SILENT_SECONDS
        return STOP_SILENT_SECONDS if not self.alive else float(self.cfg.keepalive)

    def _cap_keepalive(self, deadline: float) -> None:
        """As the stock worker, but counted from the last request of each connection."""
        for conn in self.keepalived_conns:
            last_request = conn.timeout - self.cfg.keepalive
            conn.timeout = max(deadline, last_request + STOP_SILENT_SECONDS)

    def _drop(self, conn: Any) -> None:
        self.pending_conns.remove(conn)
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def finish_request(self, conn: Any, fs: Any) -> None:
        """As the stock worker, which counts a connection down twice where its client is gone before it closes it."""
        before = self.nr_conns
        super().finish_request(conn, fs)
        self.nr_conns = max(self.nr_conns, before - 1)

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """As the stock worker; also calls ``on_stop`` at the first signal."""
        is_first = self.alive
        super().handle_exit(sig, frame)
        if is_first:
            self.app.on_stop()

    def set_accept_enabled(self, enabled: bool) -> None:
        """As the stock worker; a stopping one also closes its listeners, so that new clients go elsewhere at once."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()


def _must_be_read_by(deadline: float, conn: Any) -> None:
    """Limit the reads of a connection.

    Before gunicorn's main thread closes a connection it reads what the client still sends. It must not wait for
    one that already took too long.
    """
    if isinstance(conn.sock, DeadlineSocket):
        conn.sock.must_be_read_by(deadline)
