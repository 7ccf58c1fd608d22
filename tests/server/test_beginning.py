"""A process that begins takes no call before it can answer it; so the death of the one before costs no later call."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import Serve, Server, await_that
from webhook.cluster import Snapshot
from webhook.server import run
from webhook.server.state import SettingsFile, SnapshotState
from webhook.server.tls import TlsContext


class Beginning(SnapshotState):
    """Can answer once it was asked so many times whether it can."""

    def __init__(self, times: int) -> None:
        """Begin."""
        super().__init__(Snapshot(), SettingsFile(None))
        self.left = times

    def unready(self) -> dict[str, str]:
        """What is waited for."""
        self.left -= 1
        return {"certificate": "there is none yet"} if self.left > 0 else {}


def test_no_call_is_taken_before_it_can_be_answered() -> None:
    state = Beginning(5)
    application(state).load()
    assert state.left == 0


def test_calls_are_taken_after_a_while_though_none_can_be_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "READY_SECONDS", 0.05)
    state = Beginning(1_000_000_000)
    application(state).load()
    assert state.left > 0


def application(state: SnapshotState) -> Any:
    return run._Application(run.Server("127.0.0.1", 8443, TlsContext(None, "127.0.0.1"), lambda: state))


def test_the_death_of_the_worker_process_loses_no_call_that_begins_after_it(serve: Serve) -> None:
    server = serve()
    (worker,) = children(server)
    os.kill(worker, signal.SIGKILL)
    await_that(lambda: worker not in children(server), "end of the process", server.child)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: server.request("GET", "/readyz"), range(100)))
    assert answers == [(200, "ok\n")] * 100
    assert server.log().count("Booting worker") == 2


def children(server: Server) -> list[int]:
    """Return the processes that a server has started and that were not seen off yet."""
    process = server.child.process.pid
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
