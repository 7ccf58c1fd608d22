"""A process that begins takes no call before it can answer it; so the death of the one before costs no later call."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.server.conftest import Serve, Server, await_that
from webhook.cluster import Snapshot
from webhook.server import run
from webhook.server.state import SettingsFile, SnapshotState
from webhook.server.tls import TlsContext


class Beginning(SnapshotState):
    """Can answer some time after it was made."""

    def __init__(self, seconds: float) -> None:
        """Begin."""
        super().__init__(Snapshot(), SettingsFile(None))
        self._ready = time.monotonic() + seconds

    def unready(self) -> dict[str, str]:
        """What is waited for."""
        return {} if time.monotonic() >= self._ready else {"certificate": "there is none yet"}


@pytest.mark.parametrize(("ready_after", "taken_after"), [(0.0, 0.0), (0.2, 0.2), (60.0, 0.4)])
def test_calls_are_taken_once_they_can_be_answered_or_after_a_while(
    ready_after: float, taken_after: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "READY_SECONDS", 0.4)
    tls = TlsContext(None, "127.0.0.1")
    application = run._Application(run.Server("127.0.0.1", 8443, tls, lambda: Beginning(ready_after)))
    began = time.monotonic()
    application.load()
    assert time.monotonic() - began == pytest.approx(taken_after, abs=0.15)


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
