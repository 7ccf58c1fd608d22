"""One container of a pod: a local process, started again as the restart policy says."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from tests.localcluster.api import Object, timestamp
from tests.localcluster.images import Waiting
from tests.localcluster.probes import Probing
from tests.localcluster.processes import Child

_RETRY = 0.5
_BACK_OFF = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
_FORGIVEN_AFTER = 30.0
_MESSAGE_LINES, _MESSAGE_LENGTH = 80, 2048
_CREATING = {"waiting": {"reason": "ContainerCreating"}}


@dataclass(frozen=True)
class Host:
    """What a container needs of its pod."""

    address: str
    restart_policy: str
    grace: float
    """Seconds that a container has to end after a failed probe."""
    launch: Callable[[Object, int], Child]
    """Starts the process for the container's n-th time; raises Waiting or OSError."""
    changed: Callable[[], None]
    record_event: Callable[[str, str], None]
    """Records an event: reason, message."""


@dataclass(frozen=True)
class State:
    """What the status of a container says."""

    state: Object = field(default_factory=lambda: _CREATING)
    last: Object = field(default_factory=dict)
    restarts: int = 0
    started: bool = False
    ready: bool = False
    process: int | None = None


class Container:
    """A container from its start to its end."""

    def __init__(self, spec: Object, host: Host, *, init: bool = False) -> None:
        self.spec = spec
        self.state = State()
        self._host = host
        self._init = init
        self._child: Child | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._finished = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def begun(self) -> bool:
        """Whether `start` was called."""
        return self._thread is not None

    @property
    def finished(self) -> bool:
        """Whether nothing runs and nothing will."""
        return self._finished.is_set()

    @property
    def succeeded(self) -> bool:
        """Whether it ended with status 0 and will not be started again."""
        return self.finished and self.state.state.get("terminated", {}).get("exitCode") == 0

    def start(self) -> None:
        """Begin to run, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name=f"container {self.spec['name']}", daemon=True)
        self._thread.start()

    def stop(self, grace: float, *, hook: bool = True) -> None:
        """End it for good: the preStop hook, SIGTERM, and SIGKILL once `grace` seconds are over."""
        with self._lock:
            self._stopping.set()
            child = self._child
        if child is not None:
            self._end(child, grace, hook=hook)
        if self._thread is None:
            self._finished.set()
        else:
            self._thread.join()

    def kill(self) -> None:
        """End it for good and at once."""
        with self._lock:
            self._stopping.set()
            child = self._child
        if child is not None:
            _kill_group(child)

    def status(self) -> Object:
        """Return the container's entry in the status of its pod."""
        now = self.state
        return {
            "name": self.spec["name"],
            "image": self.spec["image"],
            "imageID": "",
            "ready": now.ready,
            "started": now.started,
            "restartCount": now.restarts,
            "state": now.state,
            "lastState": now.last,
            **({"containerID": f"process://{now.process}"} if now.process else {}),
        }

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                child = self._launch()
            except (Waiting, OSError) as problem:
                reason = problem.reason if isinstance(problem, Waiting) else "RunContainerError"
                if self._waits(reason, str(problem)):
                    self._host.record_event("Failed", str(problem))
                self._stopping.wait(_RETRY)
                continue
            if child is None:
                break
            code, seconds = self._accompany(child)
            failures = 0 if seconds > _FORGIVEN_AFTER else failures + 1
            if not self._again(code):
                break
            self._back_off(_BACK_OFF[min(failures, len(_BACK_OFF)) - 1])
        self._finished.set()
        self._host.changed()

    def _launch(self) -> Child | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            child = self._host.launch(self.spec, self.state.restarts)
            self._child = child
        running = {"running": {"startedAt": timestamp()}}
        ready = "readinessProbe" not in self.spec and "startupProbe" not in self.spec
        self._become(state=running, started="startupProbe" not in self.spec, ready=ready, process=child.process.pid)
        return child

    def _accompany(self, child: Child) -> tuple[int, float]:
        """Probe a process until it ends; returns its exit status and for how long it ran."""
        begun, started_at, ended = time.monotonic(), timestamp(), threading.Event()
        if not self._init:
            threading.Thread(target=self._probe, args=(child, ended), daemon=True).start()
        status = child.process.wait()
        _kill_group(child)
        ended.set()
        with self._lock:
            self._child = None
        code = 128 - status if status < 0 else status
        times = {"startedAt": started_at, "finishedAt": timestamp()}
        terminated: Object = {"exitCode": code, "reason": "Error" if code else "Completed", **times}
        terminated["containerID"] = f"process://{child.process.pid}"
        if code and self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            terminated["message"] = child.tail(_MESSAGE_LINES)[-_MESSAGE_LENGTH:]
        self._become(state={"terminated": terminated}, ready=False, started=False, process=None)
        return code, time.monotonic() - begun

    def _again(self, code: int) -> bool:
        policy = self._host.restart_policy
        if self._stopping.is_set() or policy == "Never":
            return False
        return code != 0 if self._init or policy == "OnFailure" else True

    def _back_off(self, pause: float) -> None:
        message = f"back-off {pause:g} s restarting failed container={self.spec['name']}"
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
        self._become(state=waiting, last=self.state.state, restarts=self.state.restarts + 1)
        self._stopping.wait(pause)

    def _probe(self, child: Child, ended: threading.Event) -> None:
        probing = Probing(self.spec, self._host.address, ended, self._host.record_event)
        startup = self.spec.get("startupProbe")
        if startup is not None:
            wrong = next(probing.verdicts("startup"), "it has ended")
            if wrong is not None:
                if not ended.is_set():
                    self._restart(child, wrong, startup)
                return
            self._become(started=True, ready="readinessProbe" not in self.spec, only=child)
        threading.Thread(target=self._watch_life, args=(child, probing), daemon=True).start()
        for wrong in probing.verdicts("readiness"):
            self._become(ready=wrong is None, only=child)

    def _watch_life(self, child: Child, probing: Probing) -> None:
        for wrong in probing.verdicts("liveness"):
            if wrong is not None and not self._stopping.is_set():
                self._restart(child, wrong, self.spec["livenessProbe"])
                return

    def _restart(self, child: Child, wrong: str, probe: Object) -> None:
        self._host.record_event(
            "Killing", f"container {self.spec['name']} failed its probe, will be restarted: {wrong}"
        )
        self._end(child, probe.get("terminationGracePeriodSeconds", self._host.grace))

    def _end(self, child: Child, grace: float, *, hook: bool = True) -> None:
        deadline = time.monotonic() + grace
        if hook:
            self._pre_stop(child, deadline)
        with suppress(ProcessLookupError):
            child.process.send_signal(signal.SIGTERM)
        if not _ends_before(child, deadline):
            _kill_group(child)

    def _pre_stop(self, child: Child, deadline: float) -> None:
        hook = (self.spec.get("lifecycle") or {}).get("preStop") or {}
        command = (hook.get("exec") or {}).get("command") or []
        if "sleep" in hook:
            seconds = float(hook["sleep"]["seconds"])
        elif len(command) == 2 and os.path.basename(command[0]) == "sleep":
            seconds = float(command[1])
        else:
            if hook:
                self._host.record_event("FailedPreStopHook", "this kubelet knows no other preStop hook than sleep")
            return
        _ends_before(child, min(deadline, time.monotonic() + seconds))

    def _waits(self, reason: str, message: str) -> bool:
        """Show why nothing runs; returns whether that is news."""
        waiting = {"waiting": {"reason": reason, "message": message}}
        news = self.state.state != waiting
        if news:
            self._become(state=waiting)
        return news

    def _become(self, *, only: Child | None = None, **changes: object) -> None:
        """Change the state, with `only` if that is still the process that runs."""
        with self._lock:
            if only is not None and self._child is not only:
                return
            self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self._host.changed()


def _ends_before(child: Child, deadline: float) -> bool:
    """Wait for the end of a process, which is reaped elsewhere."""
    while child.process.returncode is None:
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, 0.05))
    return True


def _kill_group(child: Child) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, signal.SIGKILL)
