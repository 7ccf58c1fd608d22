"""Writes of machines to the API server at a steady rate, each judged by what came of it."""

import http.client
import json
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from urllib.parse import urlencode

from tests.build import Object
from tests.localcluster import LocalCluster
from webhook.objects import at

_CREATED = 201
_TIMEOUT = 60.0
_LABELS = {"written-under": "load"}


class Writers:
    """Writes machines as long as the context lasts: some threads, each over a connection that it keeps open.

    In turn a good machine, which must come back with the eviction strategy that the mutating side gives it, and a bad
    one, which the validating side must refuse by ``rule``. A write that comes back otherwise is ``unjudged`` where it
    was admitted, and ``failed`` for any other answer or none; nothing is written twice. What was stored is deleted at
    the end. A host that cannot keep up writes less often; ``written`` says how often it was.
    """

    def __init__(
        self,
        cluster: LocalCluster,
        good: Object,
        bad: Object,
        rule: str = "shared-access",
        *,
        per_second: float = 50,
        threads: int = 5,
    ) -> None:
        """Write into the namespace of the two machines, which give names to none."""
        self.judged = 0
        self.failed: list[str] = []
        self.unjudged: list[str] = []
        self._client = cluster.client()
        self._good, self._bad = (_unnamed(machine) for machine in (good, bad))
        self._rule = f"[{rule}]"
        self._path = f"/apis/kubevirt.io/v1/namespaces/{good['metadata']['namespace']}/virtualmachines"
        self._pause = threads / per_second
        self._done = threading.Event()
        self._count = threading.Condition()
        self._threads = [
            threading.Thread(target=self._write_on, args=(number / per_second,), name=f"writer {number}", daemon=True)
            for number in range(threads)
        ]

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End when every write has its answer, and delete what was stored."""
        self._done.set()
        for thread in self._threads:
            thread.join()
        selector = ",".join(f"{key}={value}" for key, value in _LABELS.items())
        self._client.request("DELETE", f"{self._path}?{urlencode({'labelSelector': selector})}")

    @property
    def written(self) -> int:
        """How many writes have an answer, or will never have one."""
        return self.judged + len(self.failed) + len(self.unjudged)

    def go_on(self, writes: int) -> None:
        """Return when so many more have been written; raises AssertionError where that takes minutes."""
        with self._count:
            wanted = self.written + writes
            assert self._count.wait_for(lambda: self.written >= wanted, 5 * _TIMEOUT), "the writers are stuck"

    def would_be_judged(self) -> bool:
        """Say whether a good and a bad machine would be judged now; nothing is stored."""
        connection = self._client.connection(_TIMEOUT)
        try:
            return all(self._write(connection, good, "?dryRun=All") is None for good in (True, False))
        finally:
            connection.close()

    def __str__(self) -> str:
        return f"{self.written:,} writes, {len(self.failed)} failed, {len(self.unjudged)} unjudged"

    def _write_on(self, begin: float) -> None:
        connection = self._client.connection(_TIMEOUT)
        due, good = time.monotonic() + begin, True
        while not self._done.wait(max(0.0, due - time.monotonic())):
            outcome = self._write(connection, good)
            with self._count:
                self._note(outcome)
                self._count.notify_all()
            due, good = due + self._pause, not good
        connection.close()

    def _note(self, outcome: "_Wrong | None") -> None:
        if outcome is None:
            self.judged += 1
        else:
            (self.unjudged if outcome.admitted else self.failed).append(f"{datetime.now():%T} {outcome.why}")

    def _write(self, connection: http.client.HTTPSConnection, good: bool, query: str = "") -> "_Wrong | None":
        """Create a machine once; return what is wrong with the answer, None where it was judged."""
        body = json.dumps(self._good if good else self._bad)
        try:
            connection.request("POST", self._path + query, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            return _Wrong(False, f"no answer: {error!r}")
        if answer.status == _CREATED:
            strategy = at(content, "spec", "template", "spec", "evictionStrategy")
            if good and strategy == "LiveMigrate":
                return None
            return _Wrong(True, f"a good machine was not patched: {strategy}" if good else "a bad machine was admitted")
        message = f"{answer.status}: {content.get('message')}"
        return None if not good and self._rule in message else _Wrong(False, message)


@dataclass(frozen=True)
class _Wrong:
    admitted: bool
    why: str


def _unnamed(machine: Object) -> Object:
    metadata = {"namespace": machine["metadata"]["namespace"], "generateName": "written-", "labels": _LABELS}
    return {**machine, "metadata": metadata}
