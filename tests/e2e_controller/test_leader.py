"""One replica is the leader; another becomes leader when that one ends."""

from collections.abc import Callable

import pytest

from tests.e2e_controller.release import LEASE, VALIDATING, Release, Replica
from tests.workloads import eventually
from webhook.objects import at

ENDS: list[object] = [
    pytest.param(Release.stop, id="stopped"),
    pytest.param(Release.kill, id="killed", marks=pytest.mark.cluster),
]


@pytest.mark.parametrize("end", ENDS)
def test_another_replica_becomes_leader_when_the_leader_is(
    release: Release, end: Callable[[Release, Replica], None]
) -> None:
    first = release.start()
    release.await_in_force()
    second = release.start()
    eventually("the second replica is ready", lambda: second.is_ready)
    assert [first.is_leader, second.is_leader] == [True, False]
    end(release, first)
    assert ("released leadership" in first.log) is (end is Release.stop)
    eventually("a new leader", lambda: second.is_leader)
    assert str(at(release.read(LEASE), "spec", "holderIdentity")).startswith(second.name)
    release.api.delete(VALIDATING)
    eventually("the webhook configuration is restored", lambda: release.read(VALIDATING))
