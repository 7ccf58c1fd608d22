"""Machines are written all the time, by a handful of threads over connections that stay open."""

import http.client
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from tests.build import disk
from tests.e2e_old.api import Answer, Api
from tests.e2e_paths.conftest import vm
from tests.localcluster import LocalCluster
from tests.workloads import eventually

PER_SECOND = 50
_THREADS = 6
_ADMIN = "admin"
_WORSE = {"spec": {"template": {"spec": {"volumes": [disk("once")]}}}}
_MORE = {"spec": {"template": {"spec": {"hostname": "other"}}}}
_LABELLED = {"metadata": {"labels": {"team": "a"}}}
_READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}


@dataclass(frozen=True)
class Outcome:
    """What became of one write; ``trouble`` is what is wrong with that, and ``unjudged`` that nobody judged it."""

    trouble: str = ""
    unjudged: bool = False


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
    yield _passed("a good machine", created)
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
        self._outcomes: list[Outcome] = []
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
    def failed(self) -> list[str]:
        """What did not come out as it should, though somebody judged it."""
        return [outcome.trouble for outcome in self._outcomes if outcome.trouble and not outcome.unjudged]

    @property
    def unjudged(self) -> list[str]:
        """What passed though nobody judged it."""
        return [outcome.trouble for outcome in self._outcomes if outcome.unjudged]

    @property
    def tally(self) -> str:
        """What was done, in one line."""
        writes, seconds = len(self._outcomes), self._ended - self._began
        return f"{writes:,} writes in {seconds:.0f} s, {len(self.failed)} failed, {len(self.unjudged)} unjudged"

    def _write(self) -> None:
        while not self._stopped.is_set():
            turn = self._turn(self._api)
            while not self._stopped.wait(self._pause()):
                try:
                    outcome = next(turn, None)
                except (OSError, http.client.HTTPException) as error:
                    self._outcomes.append(Outcome(f"no answer from the API server: {error!r}"))
                    return
                if outcome is None:
                    break
                self._outcomes.append(outcome)

    def _pause(self) -> float:
        return max(0.0, self._began + next(self._numbers) / PER_SECOND - time.monotonic())


def _passed(what: str, answer: Answer) -> Outcome:
    return Outcome() if answer.passed else Outcome(f"{what}: {answer.message}")


def _patched(answer: Answer) -> Outcome:
    if not answer.passed:
        return Outcome(f"a good machine: {answer.message}")
    has_strategy = answer.body["spec"]["template"]["spec"].get("evictionStrategy") == "LiveMigrate"
    return Outcome() if has_strategy else Outcome("a good machine: no strategy", unjudged=True)


def _refused(what: str, answer: Answer) -> Outcome:
    if answer.passed:
        return Outcome(f"{what}: passed", unjudged=True)
    return Outcome() if "[shared-access]" in answer.message else Outcome(f"{what}: {answer.message}")
