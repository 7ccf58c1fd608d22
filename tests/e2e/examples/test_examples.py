"""Over every example, the API server's answer is the one that `migratability check` predicts."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jsonpatch
import pytest
import yaml

from tests.build import Object
from tests.clusters import DEFINITIONS, Clusters, furnish
from tests.demo import EXAMPLES, STEPS, USER, show
from tests.e2e.admission.conftest import Site
from tests.localcluster.installation import Installation
from webhook.cluster.files import read_path
from webhook.objects import at

VMS = sorted((EXAMPLES / "vms").glob("*.yaml"))
STRATEGY = {
    "VirtualMachine": ("spec", "template", "spec", "evictionStrategy"),
    "VirtualMachineInstance": ("spec", "evictionStrategy"),
}


@pytest.fixture(scope="module", params=DEFINITIONS)
def site(request: pytest.FixtureRequest, clusters: Clusters) -> Iterator[Site]:
    """The webhook installed on a real API server, with the examples' PVCs and classes in it."""
    running = clusters.clean(request.param)
    furnish(running, *read_path(EXAMPLES / "cluster"), users=(USER,))
    with Installation(running) as installation:
        yield Site(installation)


@cache
def checked() -> dict[str, Object]:
    """The verdict of `check` on every example, by the VM's name."""
    command = [sys.executable, "-m", "webhook.cli.main", "check", *map(str, VMS)]
    options = ["--cluster", str(EXAMPLES / "cluster"), "-o", "json"]
    done = subprocess.run([*command, *options], cwd=EXAMPLES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return {verdict["name"]: verdict for verdict in json.loads(done.stdout)}


def denying(verdict: Object) -> list[str]:
    """The causes that `check` predicts, as kubectl prints them, in order."""
    return [
        f"{found['field']}: {found['message']}. {found['remedy']}. [{found['rule']}]"
        for found in verdict["violations"]
        if found["action"] == "deny" and not found["preexisting"] and not found["exempt"]
    ]


def printed(output: str) -> tuple[str, list[str]]:
    """The heading and the causes that kubectl printed; of one cause it makes no list."""
    lines = [line for line in output.splitlines() if not line.startswith("Warning: ")]
    if len(lines) == 1:
        heading, _, cause = lines[0].partition(" is invalid: ")
        return heading, [cause]
    return lines[0].removesuffix(" is invalid: "), [line.removeprefix("* ") for line in lines[1:] if line]


def warned(output: str) -> list[str]:
    """The warnings that kubectl printed, sorted: those of /mutate come first."""
    return sorted(line.removeprefix("Warning: ") for line in output.splitlines() if line.startswith("Warning: "))


def test_there_are_examples_of_both_sorts() -> None:
    assert {verdict["allowed"] for verdict in checked().values()} == {True, False}
    assert len(checked()) == len(VMS)


@pytest.mark.parametrize("file", VMS, ids=lambda file: file.stem)
def test_the_api_server_answers_and_patches_as_check_predicts(site: Site, file: Path) -> None:
    obj = yaml.safe_load(file.read_text(encoding="utf-8"))
    verdict, path = checked()[obj["metadata"]["name"]], STRATEGY[obj["kind"]]
    command = ("apply", "--dry-run=server", "-o", "json", "-f", str(file))
    done = site.cluster.kubectl(*command, user=USER, check=False)
    assert (done.returncode == 0) is verdict["allowed"], done.stderr
    if verdict["allowed"]:
        assert warned(done.stderr) == sorted(verdict["warnings"])
        strategy = at(json.loads(done.stdout), *path)
        assert strategy == at(jsonpatch.apply_patch(obj, verdict["patch"]), *path)
        assert strategy == ("External" if obj["metadata"]["name"] == "strategy-external" else "LiveMigrate")
    else:
        heading = f'The {obj["kind"]} "{obj["metadata"]["name"]}"'
        assert printed(done.stderr) == (heading, denying(verdict))


@pytest.mark.cluster
def test_the_demo_shows_what_it_expects(site: Site, tmp_path: Path) -> None:
    seen = {step.title: show(step, site.cluster, tmp_path) for step in STEPS}
    assert seen == {step.title: step.expected for step in STEPS}
