"""The image and the chart are of the version that the project has."""

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


def final_stage() -> str:
    return CONTAINERFILE.rpartition("\nFROM ")[2]


def test_the_chart_has_the_version_of_the_project() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert chart["version"] == chart["appVersion"] == PROJECT["version"]
    assert (chart["name"], chart["description"]) == (PROJECT["name"], PROJECT["description"])


def test_the_image_has_the_version_of_the_project() -> None:
    assert re.findall(r"^ARG VERSION=(.+)$", CONTAINERFILE, re.MULTILINE) == [PROJECT["version"]]


@pytest.mark.skipif(HADOLINT is None, reason="PyPI has hadolint for Linux on x86_64 alone")
def test_the_linter_finds_nothing_to_complain_about() -> None:
    done = subprocess.run([str(HADOLINT), "Containerfile"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_both_stages_have_the_same_interpreter() -> None:
    assert re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE) == ["${BASE}", "${BASE}"]


def test_the_image_is_run_as_a_number_and_starts_our_command() -> None:
    assert re.findall(r"^USER (.+)$", final_stage(), re.MULTILINE) == ["1001:0"]
    assert 'ENTRYPOINT ["migratability"]' in final_stage()
    assert "migratability" in PROJECT["scripts"]


def test_everything_installed_has_a_hash_or_is_ours() -> None:
    commands = re.split(r"&&|\nRUN ", CONTAINERFILE.replace("\\\n", " "))
    installs = [command for command in commands if "/pip " in command and " install " in command]

    assert len(installs) == 3
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    allowed = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    created = {
        name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE, re.MULTILINE) for name in line.split()
    }

    assert allowed == created
    assert all((ROOT / name).exists() for name in allowed)
