"""VMs are written 50 times a second, by an open loop: a write does not wait for the answers to those before."""

import http.client
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from typing import Self

from tests.build import Object, disk
from tests.e2e.admission.conftest import vm
from tests.e2e.preexisting.api import Answer, Api
from tests.eventually import eventually
from tests.localcluster import LocalCluster

PER_SECOND = 50
_THREADS = 24
"""At 50 a second, as many as are needed for answers that take half a second."""
_BELATED = 10.0
"""For how many seconds after the end what was due is still written."""
_LABELS = {"written-under": "load"}
_ALL = "/apis/kubevirt.io/v1/namespaces/vms/virtualmachines?labelSelector=written-under%3Dload"


class Problem(StrEnum):
    """What can be wrong with the outcome of a write."""

    FAILED = "failed"
    """It is denied, but not by our rule."""
    NOT_EVALUATED = "not evaluated"
    """It passes although our rule denies it."""
    UNPATCHED = "unpatched"
    """It passes as it should, but without the strategy."""


Outcome = tuple[Problem | None, str]
"""What is wrong with what became of a write, and with which."""


def evaluated(api: Api, *, bad: bool = True, edits: bool = True) -> Iterator[Outcome]:
    """Yield what becomes of the life of a good VM, which gets our patch, and of bad writes, which our rule denies.

    Without bad ones, nothing is evaluated that needs the webhook. A deletion that is no edit is not counted.
    """
    good = vm("good", labels=_LABELS)
    made = api.create(good, "admin")
    yield _patched(made) if bad else _passed("a good VM", made)
    if bad:
        yield _denied("a bad VM", api.create(vm("once", labels=_LABELS), "admin"))
    if edits and made.passed:
        yield _passed("a label", api.patch(good, {"metadata": {"labels": {"team": "a"}}}, "admin"))
        if bad:
            yield _denied("a bad disk", api.patch(good, _template(volumes=[disk("once")]), "admin"))
        else:
            yield _passed("a template", api.patch(good, _template(architecture="amd64"), "admin"))
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        yield _passed("a status", api.patch(good, {"status": ready}, "admin", "status"))
        yield _passed("a deletion", api.delete(good, "admin"))
    elif made.passed:
        api.delete(good, "admin")


created = partial(evaluated, edits=False)
"""Only what must be evaluated: a good VM and a bad one."""
sound = partial(evaluated, bad=False)
"""Only what passes whether the webhook is there or not."""


def _template(**spec: object) -> Object:
    return {"spec": {"template": {"spec": spec}}}


def _passed(what: str, answer: Answer) -> Outcome:
    return (None, what) if answer.passed else (Problem.FAILED, f"{what}: {answer.message}")


def _patched(answer: Answer) -> Outcome:
    if answer.passed and answer.body["spec"]["template"]["spec"].get("evictionStrategy") != "LiveMigrate":
        return Problem.UNPATCHED, "a good VM"
    return _passed("a good VM", answer)


def _denied(what: str, answer: Answer) -> Outcome:
    if answer.passed:
        return Problem.NOT_EVALUATED, what
    ours = "[shared-access]" in answer.message
    return (None, what) if ours else (Problem.FAILED, f"{what}: {answer.message}")


class Writers:
    """Writes 50 times a second from `with` on until its end, and then what was due by then; what is left is deleted."""

    def __init__(self, cluster: LocalCluster, turn: Callable[[Api], Iterator[Outcome]] = evaluated) -> None:
        """Write to a running cluster, one turn after the other in each thread, over a connection that stays open."""
        self.writes: list[tuple[float, Outcome]] = []
        """When those began that have their answer, or never will, on the monotonic clock; and their outcome."""
        self._client = cluster.client()
        self._api = Api(cluster)
        self._turn = turn
        self._began, self._end, self._ended = 0.0, math.inf, 0.0
        self._numbers = itertools.count()
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._write, daemon=True) for _ in range(_THREADS)]

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end = time.monotonic()
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self._ended = time.monotonic()
        self._api.__exit__()
        self._client.request("DELETE", _ALL)

    def go_on(self, count: int = 2 * PER_SECOND) -> None:
        """Return when so many more writes were answered."""
        wanted = len(self.writes) + count
        eventually(f"{count} more writes", lambda: len(self.writes) >= wanted)

    @property
    def losses(self) -> list[str]:
        """What did not come out as it should."""
        return self.losses_since(self._began)

    def losses_since(self, begin: float) -> list[str]:
        """Return what was begun after a time on the monotonic clock and did not come out as it should."""
        return [
            f"{problem} after {begun - self._began:.2f} s, {what}"
            for begun, (problem, what) in self.writes
            if problem and begun >= begin
        ]

    def count(self, problem: Problem) -> int:
        """Return how many writes have had a problem."""
        return sum(found is problem for _, (found, _) in self.writes)

    @property
    def tally(self) -> str:
        """What was done, in one line."""
        counts = ", ".join(f"{self.count(problem)} {problem}" for problem in Problem)
        rate = len(self.writes) / ((self._ended or time.monotonic()) - self._began)
        return f"{len(self.writes):,} writes, {rate:.1f} a second, {counts}"

    def _write(self) -> None:
        outcomes = itertools.chain.from_iterable(self._turn(self._api) for _ in itertools.count())
        while self._is_due(next(self._numbers)):
            begun = time.monotonic()
            try:
                outcome = next(outcomes)
            except (OSError, http.client.HTTPException) as error:
                outcome = Problem.FAILED, f"no answer at all: {error!r}"
            self.writes.append((begun, outcome))

    def _is_due(self, number: int) -> bool:
        """Return when a write is due, or False where the end comes before, or came too long ago."""
        due = self._began + number / PER_SECOND
        self._ending.wait(max(0.0, due - time.monotonic()))
        return due <= self._end and time.monotonic() < self._end + _BELATED
