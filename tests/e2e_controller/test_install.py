"""The first start of a release."""

from tests.e2e_controller.release import Release, await_that


def test_one_replica_registers_itself_and_is_asked(release: Release) -> None:
    replica = release.start()
    await_that(lambda: replica.is_ready, "ready replica")
    await_that(lambda: release.is_registered, "registration")
    await_that(lambda: release.holds, "refusal and patch")
