"""What an uninstall calls before the pods go."""

import os
import subprocess
import sys

import pytest

from tests.e2e_controller.release import CA_SECRET, LEASE, MUTATING, OWNER_ROLE, PROBE, VALIDATING, Release

ALL = (OWNER_ROLE, VALIDATING, MUTATING, PROBE, LEASE, CA_SECRET)


def cleanup(release: Release, *arguments: str, user: str = "unregister") -> subprocess.CompletedProcess[str]:
    """Run the command as a user, by default one with no more rights than it needs."""
    command = [sys.executable, "-m", "webhook.cli.main", "cleanup", *arguments]
    environment = {**os.environ, "KUBECONFIG": str(release.cluster.kubeconfig_for(user))}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)


def test_all_goes_and_stays_away_although_a_replica_still_runs(release: Release) -> None:
    replica = release.start()
    release.await_in_force()
    release.allow_cleanup()
    done = cleanup(release, "--installation", str(release.file))
    assert done.returncode == 0, done.stderr
    assert f"deleted ClusterRole {OWNER_ROLE.rpartition('/')[2]}" in done.stdout
    assert not any(release.read(path) for path in ALL)
    assert replica.is_ready
    assert not release.denies
    again = cleanup(release, "--installation", str(release.file))
    assert (again.returncode, again.stdout) == (0, "")


@pytest.mark.cluster
def test_it_says_what_is_left(release: Release) -> None:
    release.start()
    release.await_in_force()
    done = cleanup(release, "--installation", str(release.file), "--timeout", "2", user="nobody")
    assert done.returncode == 2
    assert "still there after 2 s" in done.stderr
    assert "403" in done.stdout


def test_an_installation_that_cannot_be_read_is_bad_input(release: Release) -> None:
    done = cleanup(release, "--installation", str(release.folder / "none.yaml"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "none.yaml: No such file or directory" in done.stderr
