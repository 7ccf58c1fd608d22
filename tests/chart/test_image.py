"""The image and the chart have the version of the project."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.documentation import CHART, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONTAINERFILE = (ROOT / "Containerfile").read_text()
HADOLINT = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")


def instructions(pattern: str, text: str = CONTAINERFILE) -> list[str]:
    return re.findall(rf"^{pattern}$", text, re.MULTILINE)


def test_chart_and_image_have_the_version_of_the_project() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == PROJECT["version"]
    assert (chart["name"], chart["description"]) == (PROJECT["name"], PROJECT["description"])
    assert instructions("ARG VERSION=(.+)") == [PROJECT["version"]]


@pytest.mark.skipif(HADOLINT is None, reason="PyPI has hadolint for Linux on x86_64 alone")
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([str(HADOLINT), "Containerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_the_command_as_a_numeric_user_with_the_interpreter_it_was_built_with() -> None:
    final_stage = CONTAINERFILE.rpartition("\nFROM ")[2]
    assert instructions(r"FROM (\S+).*") == ["${BASE}", "${BASE}"]
    assert instructions("USER (.+)", final_stage) == ["1001:0"]
    assert 'ENTRYPOINT ["migratability"]' in final_stage
    assert "migratability" in PROJECT["scripts"]


def test_every_installed_package_has_a_hash_or_is_the_project() -> None:
    commands = re.split(r"&&|\nRUN ", CONTAINERFILE.replace("\\\n", " "))
    installs = [command for command in commands if "/pip " in command and " install " in command]
    assert len(installs) == 3
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)


def test_the_build_context_is_what_the_build_copies() -> None:
    allowed = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    assert allowed == {name for line in instructions(r"COPY (?!--from)(.+) \S+") for name in line.split()}
    assert all((ROOT / name).exists() for name in allowed)
