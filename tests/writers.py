"""VMs are written 50 times a second, and each outcome is compared with the one that is due.

An open loop: a write does not wait for the answers to those before. Where every thread waits for one, what is due is
written as soon as a thread is free, so that the average holds; the tally shows it.
"""

import http.client
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import urlencode

from tests.build import Object, disk
from tests.e2e.admission.conftest import vm
from tests.e2e.preexisting.api import Answer, Api
from tests.localcluster import LocalCluster
from tests.workloads import eventually

PER_SECOND = 50
_THREADS = 24
"""At 50 a second, as many as are needed for answers that take half a second."""
_BELATED = 10.0
"""For how many seconds after the end what was due is still written."""
_ADMIN, _GOOD, _BAD = "admin", "a good VM", "a bad VM"
_LABELS = {"written-under": "load"}
_ALL = f"/apis/kubevirt.io/v1/namespaces/vms/virtualmachines?{urlencode({'labelSelector': 'written-under=load'})}"
_WORSE = {"spec": {"template": {"spec": {"volumes": [disk("once")]}}}}
_MORE = {"spec": {"template": {"spec": {"architecture": "amd64"}}}}
_LABELLED = {"metadata": {"labels": {"team": "a"}}}
_READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}


class Problem(StrEnum):
    """What can be wrong with the outcome of a write."""

    FAILED = "failed"
    """It is denied, but not by our rule."""
    NOT_EVALUATED = "not evaluated"
    """It passes although our rule denies it."""
    UNPATCHED = "unpatched"
    """It passes as it should, but without the strategy."""


@dataclass(frozen=True)
class Outcome:
    """What became of one write."""

    problem: Problem | None = None
    what: str = ""


@dataclass(frozen=True)
class Write:
    """One write: when it began and had its answer, on the monotonic clock."""

    begun: float
    answered: float
    outcome: Outcome


Turn = Callable[[Api], Iterator[Outcome]]
"""The life of a VM, write by write."""


def evaluated(api: Api) -> Iterator[Outcome]:
    """What is good passes, with our patch where it is new; what is bad is denied by our rule."""
    return _turn(api, _patched, bad=True, edits=True)


def created(api: Api) -> Iterator[Outcome]:
    """Only what must be evaluated: a good VM and a bad one."""
    return _turn(api, _patched, bad=True, edits=False)


def sound(api: Api) -> Iterator[Outcome]:
    """What is good passes, whether the webhook is there or not."""
    return _turn(api, lambda made: _passed(_GOOD, made), bad=False, edits=True)


def _turn(api: Api, outcome: Callable[[Answer], Outcome], *, bad: bool, edits: bool) -> Iterator[Outcome]:
    """Yield the outcome of a creation, of a bad one, and of edits; a deletion that is no edit is not counted."""
    vm_object = _vm("good")
    made = api.create(vm_object, _ADMIN)
    yield outcome(made)
    if bad:
        yield _denied(_BAD, api.create(_vm("once"), _ADMIN))
    if edits and made.passed:
        yield _passed("a label", api.patch(vm_object, _LABELLED, _ADMIN))
        change = api.patch(vm_object, _WORSE if bad else _MORE, _ADMIN)
        yield _denied("a bad disk", change) if bad else _passed("a template", change)
        yield _passed("a status", api.patch(vm_object, _READY, _ADMIN, "status"))
        yield _passed("a deletion", api.delete(vm_object, _ADMIN))
    elif made.passed:
        api.delete(vm_object, _ADMIN)


class Writers:
    """Writes 50 times a second from `with` on until its end, and then what was due by then; what is left is deleted."""

    def __init__(self, cluster: LocalCluster, turn: Turn = evaluated) -> None:
        """Write to a running cluster, one turn after the other in each thread, over a connection that stays open."""
        self.writes: list[Write] = []
        """Those that have their answer, or never will."""
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
            f"{write.outcome.problem} after {write.begun - self._began:.2f} s, {write.outcome.what}"
            for write in self.writes
            if write.outcome.problem and write.begun >= begin
        ]

    def count(self, problem: Problem) -> int:
        """Return how many writes have had a problem."""
        return sum(write.outcome.problem is problem for write in self.writes)

    @property
    def rate(self) -> float:
        """How many writes a second have had their answer, on average from the beginning to now or the end."""
        return len(self.writes) / ((self._ended or time.monotonic()) - self._began)

    @property
    def tally(self) -> str:
        """What was done, in one line."""
        counts = ", ".join(f"{self.count(problem)} {problem}" for problem in Problem)
        return f"{len(self.writes):,} writes, {self.rate:.1f} a second, {counts}"

    def _write(self) -> None:
        outcomes = itertools.chain.from_iterable(self._turn(self._api) for _ in itertools.count())
        while self._is_due(next(self._numbers)):
            begun = time.monotonic()
            try:
                outcome = next(outcomes)
            except (OSError, http.client.HTTPException) as error:
                outcome = Outcome(Problem.FAILED, f"no answer at all: {error!r}")
            self.writes.append(Write(begun, time.monotonic(), outcome))

    def _is_due(self, number: int) -> bool:
        """Return when a write is due, or False where the end comes before, or came too long ago."""
        due = self._began + number / PER_SECOND
        self._ending.wait(max(0.0, due - time.monotonic()))
        return due <= self._end and time.monotonic() < self._end + _BELATED


def _vm(claim: str) -> Object:
    return vm(claim, labels=_LABELS)


def _passed(what: str, answer: Answer) -> Outcome:
    return Outcome() if answer.passed else Outcome(Problem.FAILED, f"{what}: {answer.message}")


def _patched(answer: Answer) -> Outcome:
    outcome = _passed(_GOOD, answer)
    if outcome.problem or answer.body["spec"]["template"]["spec"].get("evictionStrategy") == "LiveMigrate":
        return outcome
    return Outcome(Problem.UNPATCHED, _GOOD)


def _denied(what: str, answer: Answer) -> Outcome:
    if answer.passed:
        return Outcome(Problem.NOT_EVALUATED, what)
    return Outcome() if "[shared-access]" in answer.message else Outcome(Problem.FAILED, f"{what}: {answer.message}")
