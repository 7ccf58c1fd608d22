"""How long a verdict takes: ``make bench``.

Measures `webhook.evaluate` alone, on a snapshot in memory, as the webhook evaluates from its caches.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.build import (
    RWO,
    RWX,
    Object,
    backend,
    claim,
    disk,
    kubevirt,
    node,
    persistent_volume,
    storage_class,
    storage_profile,
    vm,
)
from webhook import Verdict, evaluate
from webhook.cluster import Snapshot

FEW, MANY = 1, 256
PVCS = 10_000
SECONDS = 2.0
NODES, BACKENDS = 100, 20


@dataclass(frozen=True)
class Question:
    """What is evaluated, and whether it must be allowed."""

    title: str
    ask: Callable[[], Verdict]
    allowed: bool


def main() -> None:
    """Measure and print."""
    cluster = Snapshot(objects())
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"
    print(f"Python {platform.python_version()} on {where}; {PVCS:,} PVCs; median of evaluate()")
    for question in questions(cluster):
        milliseconds, runs = median(question)
        print(f"  {question.title:<36}{milliseconds:9.3f} ms  ({runs} runs)", flush=True)


def objects() -> list[Object]:
    """Return a cluster of many PVCs bound to NFS volumes, and of some that violate a rule."""
    return [
        kubevirt(version="v1.9.0", evictionStrategy="LiveMigrate"),
        storage_class("nas", backendType="ontap-nas"),
        storage_profile("nas", ([RWX], "Filesystem"), ([RWO], "Filesystem")),
        storage_class("any", selector="tier=gold"),
        *(node(f"n{index}", tsc=2_000_000_000) for index in range(NODES)),
        *(backend(f"u{index}", "ontap-nas", f"tbe-{index}", labels={"tier": "gold"}) for index in range(BACKENDS)),
        *(claim(f"c{index}", RWX, storage_class="any", volume=f"pv{index}") for index in range(PVCS)),
        *(persistent_volume(f"pv{index}", "file", f"u{index % BACKENDS}") for index in range(PVCS)),
        *(claim(f"once{index}", RWO, storage_class="any") for index in range(MANY)),
    ]


def questions(cluster: Snapshot) -> list[Question]:
    """Return what is measured."""
    found = []
    for count in (FEW, MANY):
        good, bad = (vm(*(disk(f"{name}{index}") for index in range(count))) for name in ("c", "once"))
        fewer = vm(*(disk(f"c{index}") for index in range(count - 1)), evictionStrategy="LiveMigrate")
        volumes = "1 volume" if count == 1 else f"{count} volumes"
        update = partial(evaluate, good, cluster, old=fewer, operation="UPDATE", final=True)
        found += [
            Question(f"CREATE, {volumes}, mutate", partial(evaluate, good, cluster), True),
            Question(f"CREATE, {volumes}, validate", partial(evaluate, good, cluster, final=True), True),
            Question(f"UPDATE, {volumes}, validate", update, True),
            Question(f"CREATE, {volumes}, denied", partial(evaluate, bad, cluster, final=True), False),
        ]
    return found


def median(question: Question) -> tuple[float, int]:
    """Return the median time of an answer in milliseconds, and of how many; the answer must be the expected one."""
    if question.ask().allowed is not question.allowed:
        raise SystemExit(f"bench: {question.title}: the verdict is not the expected one")
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while not times or time.perf_counter() < end:
        began = time.perf_counter()
        question.ask()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000, len(times)


if __name__ == "__main__":
    main()
