"""Where the control plane's programs come from; a shell script plays the Go compiler."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.localcluster import BuildError, binaries
from tests.localcluster.__main__ import main

pytestmark = pytest.mark.cluster

CHECKOUT = Path(__file__).parents[3]
VERSION = '[ "$1" = version ] && echo "go version go1.99.0 test/test" && exit\n'
WRITE = 'while [ "$1" != -o ]; do shift; done; echo half > "$2"\n'


class FakeGo:
    """A `go` that is first on PATH and runs `script` to build."""

    def __init__(self, folder: Path) -> None:
        self.cache = folder / "cache"
        self.environment = {
            **os.environ,
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "XDG_CACHE_HOME": str(self.cache),
        }
        self.environment.pop("KUBEBUILDER_ASSETS", None)
        self._program = folder / "go"

    def builds_with(self, script: str, version: str = VERSION) -> None:
        self._program.write_text(f"#!/bin/sh\n{version}{script}")
        self._program.chmod(0o755)

    def left_in_cache(self) -> list[str]:
        return [path.name for path in (self.cache / "migratability-webhook" / "bin").iterdir() if path.name != ".lock"]


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGo:
    fake = FakeGo(tmp_path)
    for name in ("PATH", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, fake.environment[name])
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return fake


def test_a_built_program_is_kept_under_its_version(go: FakeGo) -> None:
    go.builds_with(f'{WRITE} chmod +x "$2"')
    path = binaries.ensure("etcd")["etcd"]
    assert path.read_text() == "half\n"
    assert path.parent.name.startswith(f"etcd-{binaries.version('etcd')}-")


def test_a_program_is_not_built_again(go: FakeGo) -> None:
    go.builds_with(f'{WRITE} chmod +x "$2"')
    first = binaries.ensure("etcd")
    go.builds_with("exit 1")
    assert binaries.ensure("etcd") == first


def test_a_failed_build_leaves_nothing_in_the_cache(go: FakeGo) -> None:
    go.builds_with(f"{WRITE} exit 1")
    with pytest.raises(BuildError):
        binaries.ensure("etcd")
    assert go.left_in_cache() == []


def test_a_failed_build_shows_the_end_of_the_compilers_output(go: FakeGo) -> None:
    go.builds_with("seq 1 100; echo undefined: x; exit 1")
    with pytest.raises(BuildError, match=r"(?s)ended with 1:\n82\n.*\n100\nundefined: x$"):
        binaries.ensure("etcd")


def test_an_interrupted_build_ends_the_compiler_and_leaves_nothing(go: FakeGo, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    go.builds_with(f'{WRITE} exec 9>"{pipe}"; echo started >&9; sleep 600')
    command = [sys.executable, "-m", "tests.localcluster", "build", "etcd"]
    build = subprocess.Popen(command, cwd=CHECKOUT, env=go.environment, stderr=subprocess.DEVNULL)
    with build, pipe.open() as compiler:
        assert compiler.readline() == "started\n"
        build.send_signal(signal.SIGINT)
        assert compiler.read() == "", "the pipe ends only when the compiler and its children have"
    assert build.returncode == 130
    assert go.left_in_cache() == []


def test_two_runs_at_once_build_a_program_once(go: FakeGo, tmp_path: Path) -> None:
    go.builds_with(f'{WRITE} chmod +x "$2"; echo built >> "{tmp_path}/builds"')
    command = [sys.executable, "-m", "tests.localcluster", "build", "etcd", "helm"]
    runs = [
        subprocess.Popen(command, cwd=CHECKOUT, env=go.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    outputs = [run.communicate()[0] for run in runs]
    assert outputs[0] == outputs[1]
    assert (tmp_path / "builds").read_text() == "built\nbuilt\n"


def test_what_a_killed_build_left_is_removed_by_the_next(go: FakeGo) -> None:
    left_over = go.cache / "migratability-webhook" / "bin" / ".unfinished-x"
    left_over.mkdir(parents=True)
    go.builds_with(f'{WRITE} chmod +x "$2"')
    binaries.ensure("etcd")
    assert not left_over.exists()


def test_the_first_message_says_how_long_it_may_take(go: FakeGo, capsys: pytest.CaptureFixture[str]) -> None:
    go.builds_with(f'{WRITE} chmod +x "$2"')
    binaries.ensure("etcd", "helm")
    messages = capsys.readouterr().err
    assert "10 to 20 minutes on 2 cores" in messages
    assert f"building helm {binaries.version('helm')} (2 of 2)" in messages


def test_without_a_recent_go_and_without_pypi_the_error_names_the_remedy(
    go: FakeGo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    go.builds_with("", version="echo go version go1.20.1 test/test; exit\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert main(["build", "etcd"]) == 1
    assert "Install Go 1.26.0 or later, or set KUBEBUILDER_ASSETS" in capsys.readouterr().err
    assert [path.name for path in (go.cache / "migratability-webhook").iterdir()] == ["bin"]


def test_kubebuilder_assets_go_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "helm"
    program.touch(mode=0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert binaries.ensure("helm") == {"helm": program}


def test_an_unknown_program_is_denied() -> None:
    with pytest.raises(ValueError, match="kubelet is none of the programs etcd"):
        binaries.ensure("kubelet")


@pytest.mark.skipif("KUBEBUILDER_ASSETS" in os.environ, reason="its programs have versions of their own")
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("etcd", ["--version"]),
        ("kube-apiserver", ["--version"]),
        ("kubectl", ["version", "--client"]),
        ("kube-controller-manager", ["--version"]),
        ("helm", ["version"]),
        ("helm3", ["version"]),
    ],
)
def test_a_program_prints_the_version_of_its_go_mod(name: str, arguments: list[str]) -> None:
    printed = subprocess.run([binaries.ensure(name)[name], *arguments], capture_output=True, text=True, check=True)
    assert binaries.version(name) in printed.stdout.splitlines()[0]
