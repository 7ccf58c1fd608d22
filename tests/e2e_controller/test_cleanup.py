"""What `helm uninstall` calls before the pods go, with the rights of the chart's hook."""

import os
import subprocess
import sys

from tests.chart.helm import render
from tests.e2e_controller.release import OWNED, OWNER_ROLE, Release


def test_all_goes_and_stays_away_although_a_replica_still_runs(release: Release) -> None:
    replica = release.start()
    release.await_in_force()
    (job,) = (obj for obj in render().objects if obj["kind"] == "Job")
    pod = job["spec"]["template"]["spec"]
    subcommand, *_ = pod["containers"][0]["args"]
    command = [sys.executable, "-m", "webhook.cli.main", subcommand, "--installation", str(release.file)]
    environment = {**os.environ, "KUBECONFIG": str(release.cluster.kubeconfig_for(pod["serviceAccountName"]))}
    done, again = (
        subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)
        for _ in range(2)
    )
    assert done.returncode == 0, done.stderr
    assert f"deleted ClusterRole {OWNER_ROLE.rpartition('/')[2]}" in done.stdout
    assert not any(release.read(path) for path in OWNED)
    assert replica.is_ready
    assert release.answer("once") == ""
    assert (again.returncode, again.stdout) == (0, "")
