"""Certificates are renewed under the writes of VMs: none fails, and none goes not evaluated."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e_controller.release import DEADLINE, Release, Replica, released
from tests.localcluster import LocalCluster
from webhook.cluster import ClusterUnavailable

WRITES_PER_SECOND = 50
WRITERS = 8
"""Half of them write good VMs, half bad ones."""


class Rotations:
    """What replicas and Secret were seen to hold, in order."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self.ca_certificates: list[str] = []
        self.leaves: dict[str, list[bytes]] = {replica.name: [] for replica in release.replicas}

    def look(self) -> None:
        """Note what is new."""
        ca = self._release.ca
        if ca and ca not in self.ca_certificates:
            self.ca_certificates.append(ca)
        for replica in self._release.replicas:
            leaf, seen = replica.certificate(), self.leaves[replica.name]
            if leaf not in seen:
                seen.append(leaf)

    @property
    def of_cas(self) -> int:
        """How often another CA came to sign."""
        return len(self.ca_certificates) - 1

    @property
    def of_leaves(self) -> int:
        """How often each replica came to serve another leaf."""
        return min(len(seen) for seen in self.leaves.values()) - 1


@contextmanager
def writing(release: Release) -> Iterator[Counter[str]]:
    """Write VMs all the time; count those that were evaluated and, with the reason, those that were not."""
    outcomes: Counter[str] = Counter()
    done = threading.Event()

    def write(number: int) -> None:
        due = time.monotonic() + number / WRITES_PER_SECOND
        while not done.wait(max(0.0, due - time.monotonic())):
            due += WRITERS / WRITES_PER_SECOND
            try:
                evaluated = release.patches if number % 2 else release.denies
                outcomes["judged" if evaluated else f"not {'patched' if number % 2 else 'denied'}"] += 1
            except ClusterUnavailable as error:
                outcomes[f"failed: {error}"] += 1

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        yield outcomes
    finally:
        done.set()
        for writer in writers:
            writer.join()


def rotate(release: Release, ca_certificates: int, leaves: int) -> Counter[str]:
    """Let two replicas rotate that often under writes; return what became of the writes."""
    for _ in range(2):
        release.start()
    release.await_in_force()
    release.await_ready()
    rotations = Rotations(release)
    ends = time.monotonic() + DEADLINE
    with writing(release) as outcomes:
        while rotations.of_cas < ca_certificates or rotations.of_leaves < leaves:
            rotations.look()
            seen = f"{rotations.of_cas} CAs and {rotations.of_leaves} leaves"
            assert time.monotonic() < ends, f"only {seen} within {DEADLINE:g} s"
            assert all(replica.is_ready for replica in release.replicas), [_said(each) for each in release.replicas]
            time.sleep(0.1)
    print(f"{sum(outcomes.values())} writes during {seen}")
    return outcomes


def _said(replica: Replica) -> tuple[int, str]:
    return replica.get("/readyz")


@pytest.mark.cluster
def test_an_ca_and_leaves_are_renewed_under_writes(cluster: LocalCluster, tmp_path: Path) -> None:
    with released(cluster, tmp_path, caLifetime="60s", leafLifetime="24s") as release:
        outcomes = rotate(release, ca_certificates=1, leaves=2)
    assert set(outcomes) == {"judged"}, outcomes
