"""While pods come and go, every write of a machine is judged: upgrade, rollback, drain, the death of a process."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.e2e_chart.conftest import NEXT, NEXT_TIMEOUT, Tell
from tests.e2e_chart.site import Site
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.workloads import eventually
from tests.writers import Trouble, Writers
from webhook.controller.registrations import TIMEOUT_SECONDS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.fixture
def upgraded(release: Site, next_chart: Path) -> Site:
    """The release in the other version."""
    if release.registered("timeoutSeconds") != {NEXT_TIMEOUT}:
        release.upgrade(chart=next_chart)
        release.await_in_force()
    return release


def test_an_upgrade_loses_no_write_and_brings_the_registrations_of_the_new_version(
    release: Site, next_chart: Path, tell: Tell
) -> None:
    with Writers(release.cluster) as writers:
        writers.go_on()
        release.upgrade(chart=next_chart)
        release.await_in_force()
        eventually("the new registrations", lambda: release.registered("timeoutSeconds") == {NEXT_TIMEOUT})
        writers.go_on()
    tell(f"upgrade to {NEXT}: {writers.tally}")
    assert writers.losses == []


def test_a_rollback_loses_no_write_and_brings_the_registrations_of_the_old_version(upgraded: Site, tell: Tell) -> None:
    with Writers(upgraded.cluster) as writers:
        writers.go_on()
        upgraded.helm("rollback", NAME, "--wait", "--timeout=120s")
        upgraded.await_in_force()
        eventually("the old registrations", lambda: upgraded.registered("timeoutSeconds") == {TIMEOUT_SECONDS})
        writers.go_on()
    tell(f"rollback: {writers.tally}")
    assert writers.losses == []


def test_the_death_of_a_replica_costs_at_most_what_it_was_asked_meanwhile(release: Site, tell: Tell) -> None:
    """Nobody repeats a call whose connection ends before the answer comes; and until the API server knows that the
    pod is not ready, new connections go to it.
    """
    process = release.nodes.processes(NAMESPACE)[release.ready_pods[0], "webhook"]
    with Writers(release.cluster) as writers:
        writers.go_on()
        os.kill(process, signal.SIGKILL)
        eventually("the replica is not ready", lambda: len(release.ready_pods) == 1)
        known = time.monotonic()
        release.await_in_force()
        writers.go_on()
    tell(f"kill -9 of a replica: {writers.tally}, {len(writers.losses_since(known))} after it was known")
    assert writers.losses_since(known) == []
    assert writers.count(Trouble.UNJUDGED) == 0


def test_a_drain_may_evict_one_pod_at_a_time_and_loses_no_write(release: Site, tell: Tell) -> None:
    first, second = release.ready_pods
    with Writers(release.cluster) as writers:
        writers.go_on()
        allowed = [evict(release, first), evict(release, second)]
        release.await_in_force()
        writers.go_on()
    tell(f"eviction of a replica: {writers.tally}")
    assert allowed == [True, False]
    assert writers.losses == []


def evict(site: Site, pod: str) -> bool:
    """Ask for a pod's eviction as `kubectl drain` does; return whether the budget allows it."""
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE}}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    done = site.cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction), check=False)
    assert done.returncode == 0 or "disruption budget" in done.stderr, done.stderr
    return done.returncode == 0
