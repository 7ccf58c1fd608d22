"""gunicorn's thread worker, made to stand clients that connect and say nothing.

kube-apiserver leaves TLS connections behind that carry no request. The stock worker keeps a thread waiting on each, and
so stops answering; here the poller waits, and a thread is taken only when there is something to read. Uses internals of
gunicorn 27 (``_DEFER``, ``TConn.init``, ``TConn.wait_for_data``), which a test with idle connections guards.
"""

from __future__ import annotations

from typing import Any

from gunicorn.workers import gthread


class IdleTolerantWorker(gthread.ThreadWorker):  # type: ignore[misc]
    """A thread worker that holds no thread for a silent connection, before its TLS handshake or after."""

    def handle(self, conn: Any) -> Any:
        """Answer one request of a connection, or give the connection back to the poller while it is silent."""
        if conn.initialized:
            return super().handle(conn)
        if not conn.data_ready and not conn.wait_for_data(0):
            return gthread._DEFER
        conn.sock.setblocking(True)
        try:
            conn.init()
        except OSError as error:
            self.log.debug("no TLS handshake with %s: %s", conn.client, error)
            return False
        conn.data_ready = conn.sock.pending() > 0
        if not conn.wait_for_data(0):
            return gthread._DEFER
        return super().handle(conn)
