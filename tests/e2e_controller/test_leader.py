"""One replica is the leader; another becomes leader when that one ends."""

import pytest

from tests.e2e_controller.release import KILLED, LEASE, VALIDATING, Release
from tests.eventually import eventually
from webhook.objects import at


@pytest.mark.parametrize(
    "how", [pytest.param((), id="stopped"), pytest.param(KILLED, id="killed", marks=pytest.mark.cluster)]
)
def test_another_replica_becomes_leader_when_the_leader_is(release: Release, how: tuple[str, ...]) -> None:
    first = release.start()
    release.await_in_force()
    second = release.start()
    eventually("the second replica is ready", lambda: second.is_ready)
    assert [first.is_leader, second.is_leader] == [True, False]
    first.stop(*how)
    assert ("released leadership" in first.log) is (how == ())
    eventually("a new leader", lambda: second.is_leader)
    assert str(at(release.read(LEASE), "spec", "holderIdentity")).startswith(second.name)
    release.api.delete(VALIDATING)
    eventually("the webhook configuration is restored", lambda: release.read(VALIDATING))
