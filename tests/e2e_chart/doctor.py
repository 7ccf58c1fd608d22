"""The doctor as an administrator runs it."""

import json
import os
import subprocess
import sys

from tests.build import Object
from tests.e2e_chart.site import Site


def doctor(site: Site, *arguments: str) -> tuple[int, list[Object]]:
    """Return its exit status and what it finds."""
    command = [sys.executable, "-m", "webhook.cli.main", "doctor", "--namespace=vms", "--output=json", *arguments]
    environment = {**os.environ, "KUBECONFIG": str(site.cluster.kubeconfig)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def about(findings: list[Object], subject: str) -> list[tuple[str, str]]:
    """Return status and words of the findings about a subject."""
    return [(found["status"], found["what"]) for found in findings if found["about"] == subject]
