"""Child processes that cannot outlive us, and the ports they listen on.

A child is put into a process group of its own, so that Ctrl-C in a terminal reaches only us and we stop the children in
order. On Linux the kernel kills it when we die, even by SIGKILL (PR_SET_PDEATHSIG, set by a launcher that then becomes
the program; subprocess' preexec_fn would do the same, but is unsafe beside threads). The kernel means the *thread* that
made the child, so all children are made by one thread that lives as long as the interpreter.
"""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LAUNCHER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent process has already gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class Child:
    """A running program and the file that takes its output."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, grace: float = 10) -> None:
        """End the program and what it started: SIGTERM, then SIGKILL after `grace` seconds."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(grace)
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def spawn(name: str, command: Sequence[str], log: Path, cwd: Path, env: Mapping[str, str] | None = None) -> Child:
    """Start `command` (its first word an absolute path), with stdout and stderr going to `log`.

    Raises OSError when the program cannot be started at all.
    """
    answer: Future[Child] = Future()
    _spawner.requests.put((answer, (name, command, log, cwd, env)))
    _spawner.ensure_running()
    return answer.result()


class ReservedPort:
    """A free loopback port, kept for the program that is to listen on it.

    The socket stays bound (it never listens) with SO_REUSEPORT, so nobody else is given the port; the program must
    set SO_REUSEPORT too.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def release(self) -> None:
        """Give the port back; call it after the program has ended."""
        self._socket.close()


_Request = tuple[str, Sequence[str], Path, Path, Mapping[str, str] | None]


class _Spawner:
    def __init__(self) -> None:
        self.requests: queue.SimpleQueue[tuple[Future[Child], _Request]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ensure_running(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve, name="localcluster-spawner", daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        while True:
            answer, request = self.requests.get()
            try:
                answer.set_result(_spawn_here(*request))
            except BaseException as error:
                answer.set_exception(error)


_spawner = _Spawner()


def _spawn_here(name: str, command: Sequence[str], log: Path, cwd: Path, env: Mapping[str, str] | None) -> Child:
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())] if sys.platform == "linux" else []
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*launcher, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            process_group=0,
        )
    return Child(name, process, log)
