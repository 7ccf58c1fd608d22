"""Who leads: one replica, and another when that one ends, in whatever way."""

import pytest

from tests.e2e_controller.release import LEASE, VALIDATING, Release, Replica, await_that


def holder(release: Release) -> str:
    """Return the pod that the Lease names, "" where it names none."""
    lease = release.read(LEASE)
    return str(lease["spec"].get("holderIdentity", "")).partition("_")[0] if lease else ""


def pair(release: Release) -> tuple[Replica, Replica]:
    """Start two replicas; return the one that leads and the other."""
    first = release.start()
    release.await_in_force()
    second = release.start()
    await_that(lambda: second.is_ready, "second ready replica")
    assert first.is_leader
    assert not second.is_leader
    return first, second


def test_a_leader_that_is_told_to_stop_hands_over(release: Release) -> None:
    first, second = pair(release)
    release.stop(first)
    assert "released leadership" in first.log
    assert holder(release) in ("", second.name)
    await_that(lambda: second.is_leader, "new leader")
    release.delete(VALIDATING)
    await_that(lambda: release.read(VALIDATING), "registration")


@pytest.mark.cluster
def test_a_leader_that_is_killed_is_followed_by_another(release: Release) -> None:
    first, second = pair(release)
    first.kill()
    release.replicas.remove(first)
    await_that(lambda: second.is_leader, "new leader")
    assert holder(release) == second.name
    release.delete(VALIDATING)
    await_that(lambda: release.read(VALIDATING), "registration")


@pytest.mark.cluster
def test_a_lease_that_somebody_deletes_or_takes_costs_nothing_but_a_moment(release: Release) -> None:
    replica = release.start()
    release.await_in_force()
    release.delete(LEASE)
    await_that(lambda: holder(release) == replica.name, "Lease")
    release.edit(LEASE, lambda lease: lease["spec"].update(holderIdentity="nobody", leaseDurationSeconds=1000000))
    await_that(lambda: not replica.is_leader, "a replica that does not lead")
    await_that(lambda: replica.is_leader, "a replica that leads again")
