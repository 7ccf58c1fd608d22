"""Over every example, the API server's answer is the one that `migratability check` predicts."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
import yaml

from tests.e2e.examples.conftest import CHECKOUT, EXAMPLES, Site
from webhook.objects import at

VMS = sorted((EXAMPLES / "vms").glob("*.yaml"))
STRATEGY = {
    "VirtualMachine": ("spec", "template", "spec", "evictionStrategy"),
    "VirtualMachineInstance": ("spec", "evictionStrategy"),
}
Object = dict[str, Any]


@cache
def checked() -> dict[str, Object]:
    """The verdict of `check` on every example, by the VM's name."""
    command = [sys.executable, "-m", "webhook.cli.main", "check", *map(str, VMS)]
    options = ["--cluster", str(EXAMPLES / "cluster"), "-o", "json"]
    done = subprocess.run([*command, *options], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return {verdict["name"]: verdict for verdict in json.loads(done.stdout)}


def vm(file: Path) -> Object:
    obj: Object = yaml.safe_load(file.read_text(encoding="utf-8"))
    return obj


def denying(verdict: Object) -> list[str]:
    """The causes that `check` predicts, as kubectl prints them, in order."""
    return [
        f"{found['field']}: {found['message']}. {found['remedy']}. [{found['rule']}]"
        for found in verdict["violations"]
        if found["action"] == "deny" and not found["tolerated"] and not found["exempt"]
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
def test_the_api_server_answers_as_check_foretells(site: Site, file: Path) -> None:
    obj = vm(file)
    verdict = checked()[obj["metadata"]["name"]]
    admitted, output = site.kubectl("apply", "--dry-run=server", "-f", str(file))
    assert admitted is verdict["allowed"], output
    if admitted:
        assert warned(output) == sorted(verdict["warnings"])
    else:
        heading = f'The {obj["kind"]} "{obj["metadata"]["name"]}"'
        assert printed(output) == (heading, denying(verdict))


def test_every_admitted_example_is_stored_with_the_strategy_that_check_foretells(site: Site) -> None:
    seen, predicted = {}, {}
    for obj in map(vm, VMS):
        name, path = obj["metadata"]["name"], STRATEGY[obj["kind"]]
        verdict = checked()[name]
        if verdict["allowed"]:
            seen[name] = at(site.would_store(obj), *path)
            predicted[name] = at(jsonpatch.apply_patch(obj, verdict["patch"]), *path)
    assert seen == predicted
    assert seen.pop("strategy-external") == "External"
    assert set(seen.values()) == {"LiveMigrate"}
