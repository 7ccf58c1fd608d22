"""While pods come and go, every write of a VM is evaluated: upgrade, rollback, drain, the death of a process."""

import json
import os
import signal
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.clusters import NEXT, NEXT_TIMEOUT, PORT
from tests.conftest import Report
from tests.e2e_chart.release import Release
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.e2e_rotation.load import configured, shake
from tests.eventually import eventually
from tests.writers import Problem, Writers
from webhook.controller.webhook_configurations import TIMEOUT_SECONDS

pytestmark = pytest.mark.cluster


def test_an_upgrade_and_a_rollback_lose_no_write_and_change_the_webhook_configurations(
    release: Release, report: Report
) -> None:
    with Writers(release.cluster) as writers:
        writers.go_on()
        release.upgrade({"image": {"tag": NEXT}})
        release.await_in_force()
        eventually("the new webhook configurations", lambda: release.configured("timeoutSeconds") == {NEXT_TIMEOUT})
        writers.go_on()
        release.helm("rollback", NAME, "--wait", "--timeout=300s")
        release.await_in_force()
        eventually("the old webhook configurations", lambda: release.configured("timeoutSeconds") == {TIMEOUT_SECONDS})
        writers.go_on()
    report(f"upgrade to {NEXT} and rollback: {writers.tally}")
    assert writers.losses == []


def test_the_death_of_a_replica_costs_at_most_what_it_was_asked_meanwhile(release: Release, report: Report) -> None:
    """Nobody repeats a call whose connection ends before the answer comes; and until the API server knows that the
    pod is not ready, new connections go to it.
    """
    process = release.nodes.processes(NAMESPACE)[next(iter(release.ready_pods)), "webhook"]
    with Writers(release.cluster) as writers:
        writers.go_on()
        killed = time.monotonic()
        os.kill(process, signal.SIGKILL)
        eventually("the replica is not ready", lambda: len(release.ready_pods) == 1)
        known = time.monotonic()
        release.await_in_force()
        writers.go_on()
    report(
        f"kill -9 of a replica: {writers.tally}; {len(writers.losses_since(killed))} of these begun after it died, "
        f"which was known after {1000 * (known - killed):.0f} ms"
    )
    assert_only_unanswered(writers, known)


def test_the_death_of_a_worker_process_costs_only_what_it_was_asked(release: Release, report: Report) -> None:
    """Its replica stays ready, and connections wait for the process that follows, which has its certificate by then."""
    pod = next(iter(release.ready_pods))
    process = release.nodes.processes(NAMESPACE)[pod, "webhook"]
    worker = int(Path(f"/proc/{process}/task/{process}/children").read_text())
    address = release.ready_pods[pod], PORT
    (trusted,) = configured(release.api)
    context = ssl.create_default_context(cadata=trusted.decode())
    with Writers(release.cluster) as writers, ThreadPoolExecutor(10) as threads:
        writers.go_on()
        os.kill(worker, signal.SIGKILL)
        handshakes = list(threads.map(lambda _: shake(address, context), range(100)))
        eventually("the process is gone", lambda: not Path(f"/proc/{worker}").exists())
        gone = time.monotonic()
        writers.go_on()
    report(f"kill -9 of a worker: {writers.tally}; {len(handshakes)} new connections at once")
    assert_only_unanswered(writers, gone)
    assert pod in release.ready_pods


def test_a_drain_may_evict_one_pod_at_a_time_and_loses_no_write(release: Release, report: Report) -> None:
    first, second = release.ready_pods
    with Writers(release.cluster) as writers:
        writers.go_on()
        allowed = [evict(release, first), evict(release, second)]
        release.await_in_force()
        writers.go_on()
    report(f"eviction of a replica: {writers.tally}")
    assert allowed == [True, False]
    assert writers.losses == []


def assert_only_unanswered(writers: Writers, since: float) -> None:
    """Writes were lost only before a time, and because nobody answered the API server: denied, or not patched."""
    assert writers.losses_since(since) == []
    assert writers.count(Problem.NOT_EVALUATED) == 0
    others = [loss for loss in writers.losses if not loss.startswith(Problem.UNPATCHED)]
    assert [loss for loss in others if "failed calling webhook" not in loss] == []


def evict(release: Release, pod: str) -> bool:
    """Ask for a pod's eviction as `kubectl drain` does; return whether the budget allows it."""
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE}}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    done = release.cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction), check=False)
    assert done.returncode == 0 or "disruption budget" in done.stderr, done.stderr
    return done.returncode == 0
