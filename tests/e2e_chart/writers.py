"""Machines are written all the time, by a handful of threads over connections that stay open."""

import http.client
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from tests.build import disk
from tests.e2e_old.api import Answer, Api
from tests.e2e_paths.conftest import vm
from tests.localcluster import LocalCluster
from tests.workloads import eventually

PER_SECOND = 50
_THREADS = 6
_ADMIN, _GOOD = "admin", "a good machine"
_WORSE = {"spec": {"template": {"spec": {"volumes": [disk("once")]}}}}
_MORE = {"spec": {"template": {"spec": {"hostname": "other"}}}}
_LABELLED = {"metadata": {"labels": {"team": "a"}}}
_READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}


class Trouble(StrEnum):
    """What can be wrong with the outcome of a write."""

    FAILED = "failed"
    """It is refused, and not by our rule."""
    UNJUDGED = "unjudged"
    """It passes, and our rule refuses it."""
    UNPATCHED = "unpatched"
    """It passes, as it should, without the strategy."""


@dataclass(frozen=True)
class Outcome:
    """What became of one write."""

    trouble: Trouble | None = None
    what: str = ""


Turn = Callable[[Api], Iterator[Outcome]]
"""The life of a machine, write by write."""


def judged(api: Api) -> Iterator[Outcome]:
    """What is good passes, with our patch where it is new; what is bad is refused by our rule."""
    machine = vm("good")
    created = api.create(machine, _ADMIN)
    yield _patched(created)
    yield _refused("a bad machine", api.create(vm("once"), _ADMIN))
    if not created.passed:
        return
    yield _passed("a label", api.patch(machine, _LABELLED, _ADMIN))
    yield _refused("a bad disk", api.patch(machine, _WORSE, _ADMIN))
    yield _passed("a status", api.patch(machine, _READY, _ADMIN, "status"))
    yield _passed("a deletion", api.delete(machine, _ADMIN))


def sound(api: Api) -> Iterator[Outcome]:
    """What is good passes, whether anybody judges or not."""
    machine = vm("good")
    created = api.create(machine, _ADMIN)
    yield _passed(_GOOD, created)
    if not created.passed:
        return
    yield _passed("a label", api.patch(machine, _LABELLED, _ADMIN))
    yield _passed("a template", api.patch(machine, _MORE, _ADMIN))
    yield _passed("a status", api.patch(machine, _READY, _ADMIN, "status"))
    yield _passed("a deletion", api.delete(machine, _ADMIN))


class Writers:
    """Writes 50 times a second, as far as the API server lets it, from `with` on until its end."""

    def __init__(self, cluster: LocalCluster, turn: Turn = judged) -> None:
        """Write to a running cluster, one turn after the other."""
        self._api = Api(cluster)
        self._turn = turn
        self._outcomes: list[tuple[float, Outcome]] = []
        self._began = self._ended = 0.0
        self._numbers = itertools.count()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._write, daemon=True) for _ in range(_THREADS)]

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self._ended = time.monotonic()
        self._api.__exit__()

    def go_on(self, count: int = 2 * PER_SECOND) -> None:
        """Return when so many more writes were answered."""
        wanted = len(self._outcomes) + count
        eventually(f"{count} more writes", lambda: len(self._outcomes) >= wanted)

    @property
    def losses(self) -> list[str]:
        """What did not come out as it should."""
        return self.losses_since(self._began)

    def losses_since(self, begin: float) -> list[str]:
        """Return what was begun after a time on the monotonic clock and did not come out as it should."""
        return [
            f"{outcome.trouble}, {outcome.what}"
            for begun, outcome in self._outcomes
            if outcome.trouble and begun >= begin
        ]

    def count(self, trouble: Trouble) -> int:
        """Return how many writes have met a trouble."""
        return sum(outcome.trouble is trouble for _, outcome in self._outcomes)

    @property
    def tally(self) -> str:
        """What was done, in one line."""
        counts = ", ".join(f"{self.count(trouble)} {trouble}" for trouble in Trouble)
        return f"{len(self._outcomes):,} writes in {self._ended - self._began:.0f} s, {counts}"

    def _write(self) -> None:
        while not self._stopped.is_set():
            turn = self._turn(self._api)
            while not self._stopped.wait(self._pause()):
                begun = time.monotonic()
                try:
                    outcome = next(turn, None)
                except (OSError, http.client.HTTPException) as error:
                    self._outcomes.append((begun, Outcome(Trouble.FAILED, f"no answer at all: {error!r}")))
                    return
                if outcome is None:
                    break
                self._outcomes.append((begun, outcome))

    def _pause(self) -> float:
        return max(0.0, self._began + next(self._numbers) / PER_SECOND - time.monotonic())


def _passed(what: str, answer: Answer) -> Outcome:
    return Outcome() if answer.passed else Outcome(Trouble.FAILED, f"{what}: {answer.message}")


def _patched(answer: Answer) -> Outcome:
    outcome = _passed(_GOOD, answer)
    if outcome.trouble or answer.body["spec"]["template"]["spec"].get("evictionStrategy") == "LiveMigrate":
        return outcome
    return Outcome(Trouble.UNPATCHED, _GOOD)


def _refused(what: str, answer: Answer) -> Outcome:
    if answer.passed:
        return Outcome(Trouble.UNJUDGED, what)
    return Outcome() if "[shared-access]" in answer.message else Outcome(Trouble.FAILED, f"{what}: {answer.message}")
