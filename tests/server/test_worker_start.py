"""A starting worker accepts no request before it can answer it, so a killed one costs no later request."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.server.conftest import Serve, await_that
from webhook.cluster import Snapshot
from webhook.server import run
from webhook.server.state import SettingsFile, SnapshotState
from webhook.server.tls import TlsContext


class Starting(SnapshotState):
    """Becomes ready after it was asked so many times."""

    def __init__(self, times: int) -> None:
        super().__init__(Snapshot(), SettingsFile(None))
        self.left = times

    def unready(self) -> dict[str, str]:
        self.left -= 1
        return {"certificate": "there is none yet"} if self.left > 0 else {}


def test_worker_accepts_nothing_before_it_is_ready_but_waits_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def left(state: Starting) -> int:
        run._Application(run.Server("127.0.0.1", 8443, TlsContext(None, "127.0.0.1"), lambda: state)).load()
        return state.left

    assert left(Starting(5)) == 0
    monkeypatch.setattr(run, "READY_SECONDS", 0.05)
    assert left(Starting(1_000_000_000)) > 0


def test_killed_worker_loses_no_request_that_begins_after_it(serve: Serve) -> None:
    server = serve()
    process = server.child.process.pid

    def workers() -> list[int]:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]

    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    await_that(lambda: worker not in workers(), "end of the process", server.child)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: server.request("GET", "/readyz"), range(100)))
    assert answers == [(200, "ok\n")] * 100
    assert server.log().count("Booting worker") == 2
