"""How long `webhook.evaluate` takes on a snapshot in memory: ``make bench``."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

from tests import build
from tests.build import RWO, RWX, Object, backend, disk, vm
from webhook import Verdict, evaluate
from webhook.cluster import Snapshot

PVCS, NODES, BACKENDS, VOLUMES = 10_000, 100, 20, 256
SECONDS = 2.0
Ask = Callable[[], Verdict]


def main() -> None:
    """Measure and print; exits with 1 where a verdict is not the expected one."""
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"
    print(f"Python {platform.python_version()} on {where}; {PVCS:,} PVCs; median of evaluate()")
    for title, ask, allowed in questions(Snapshot(objects())):
        if ask().allowed is not allowed:
            raise SystemExit(f"bench: {title}: the verdict is not the expected one")
        times = seconds(ask)
        print(f"  {title:<36}{statistics.median(times) * 1000:9.3f} ms  ({len(times)} runs)", flush=True)


def objects() -> list[Object]:
    """Return a cluster of many PVCs bound to NFS volumes, and of some that violate a rule."""
    return [
        build.kubevirt(version="v1.9.0", evictionStrategy="LiveMigrate"),
        build.storage_class("nas", backendType="ontap-nas"),
        build.storage_profile("nas", ([RWX], "Filesystem"), ([RWO], "Filesystem")),
        build.storage_class("any", selector="tier=gold"),
        *(build.node(f"n{index}", tsc=2_000_000_000) for index in range(NODES)),
        *(backend(f"u{index}", "ontap-nas", f"tbe-{index}", labels={"tier": "gold"}) for index in range(BACKENDS)),
        *(build.claim(f"c{index}", RWX, storage_class="any", volume=f"pv{index}") for index in range(PVCS)),
        *(build.persistent_volume(f"pv{index}", "file", f"u{index % BACKENDS}") for index in range(PVCS)),
        *(build.claim(f"once{index}", RWO, storage_class="any") for index in range(VOLUMES)),
    ]


def questions(cluster: Snapshot) -> Iterator[tuple[str, Ask, bool]]:
    """Yield what is measured: its title, the evaluation, and whether it must be allowed."""
    for count, volumes in ((1, "1 volume"), (VOLUMES, f"{VOLUMES} volumes")):
        good, bad = (vm(*(disk(f"{name}{index}") for index in range(count))) for name in ("c", "once"))
        fewer = vm(*(disk(f"c{index}") for index in range(count - 1)), evictionStrategy="LiveMigrate")
        update = partial(evaluate, good, cluster, old=fewer, operation="UPDATE", final=True)
        yield f"CREATE, {volumes}, mutate", partial(evaluate, good, cluster), True
        yield f"CREATE, {volumes}, validate", partial(evaluate, good, cluster, final=True), True
        yield f"UPDATE, {volumes}, validate", update, True
        yield f"CREATE, {volumes}, denied", partial(evaluate, bad, cluster, final=True), False


def seconds(ask: Ask) -> list[float]:
    """Return how long each of many evaluations took."""
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while not times or time.perf_counter() < end:
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    main()
