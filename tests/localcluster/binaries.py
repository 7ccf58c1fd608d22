"""The programs of the control plane, built from their Go modules once and kept in a cache folder."""

import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.localcluster.errors import BuildError
from tests.localcluster.processes import Child, spawn
from tests.localcluster.progress import Progress
from tests.localcluster.toolchain import find_go

_MODULES = Path(__file__).parent / "modules"
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class _Program:
    module: str
    """The folder below modules/ whose go.mod names the version."""
    source: str
    """The Go module in that go.mod."""
    package: str
    version_flags: str = ""


_KUBERNETES_VERSION_FLAGS = " ".join(
    f"-X k8s.io/component-base/version.{name}"
    for name in ("gitVersion=v{version}", "gitMajor={major}", "gitMinor={minor}")
)
_PROGRAMS = {
    "etcd": _Program("etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
    **{
        name: _Program("kubernetes", "k8s.io/kubernetes", f"k8s.io/kubernetes/cmd/{name}", _KUBERNETES_VERSION_FLAGS)
        for name in ("kube-apiserver", "kube-controller-manager", "kubectl")
    },
    **{
        name: _Program(
            name,
            f"helm.sh/helm/{major}",
            f"helm.sh/helm/{major}/cmd/helm",
            f"-X helm.sh/helm/{major}/internal/version.version=v{{version}}",
        )
        for name, major in (("helm", "v4"), ("helm3", "v3"))
    },
}

PROGRAMS = tuple(_PROGRAMS)
"""The names that `ensure` knows."""


def ensure(*names: str) -> dict[str, Path]:
    """Return the path of each program, after building those that are not there yet.

    A program in the folder that the environment variable KUBEBUILDER_ASSETS names goes first. Raises BuildError when a
    build fails, and ValueError for a name not in PROGRAMS.
    """
    for name in names:
        if name not in _PROGRAMS:
            raise ValueError(f"{name} is none of the programs {', '.join(PROGRAMS)}")
    missing = [name for name in dict.fromkeys(names) if _find(name) is None]
    try:
        _build_all(missing)
    except OSError as error:
        raise BuildError(f"cannot build in {cache_folder()}: {error}") from error
    return {name: _find(name) or _cached(name) for name in names}


def version(name: str) -> str:
    """Return the version of a program, as its go.mod has it, without the leading v."""
    program = _PROGRAMS[name]
    return _from_go_mod(program.module, rf"^\s*(?:require )?{re.escape(program.source)} v(\S+)")


def cache_folder() -> Path:
    """Return the folder that keeps what was built: `$XDG_CACHE_HOME` or `~/.cache`, and our own name below it."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(configured) if os.path.isabs(configured) else Path.home() / ".cache"
    return base / "migratability-webhook"


def _from_go_mod(module: str, pattern: str) -> str:
    found = re.search(pattern, (_MODULES / module / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise BuildError(f"modules/{module}/go.mod does not match {pattern}")
    return found[1]


def _find(name: str) -> Path | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    candidates = [Path(assets).resolve() / name] if assets else []
    candidates.append(_cached(name))
    return next((path for path in candidates if path.is_file() and os.access(path, os.X_OK)), None)


def _cached(name: str) -> Path:
    vm = platform.machine().lower()
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(vm, vm)
    return cache_folder() / "bin" / f"{name}-{version(name)}-{sys.platform}-{architecture}" / name


def _build_all(names: list[str]) -> None:
    if not names:
        return
    folder = cache_folder() / "bin"
    _say(
        f"{', '.join(names)}: not built yet. The first build of everything takes about 10 to 20 minutes on 2 cores and "
        f"happens once; the results stay in {folder}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names, start=1):
        with _locked(folder):
            if _find(name) is None:
                _build(name, folder, f"building {name} {version(name)} ({number} of {len(names)})")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the cache's lock; what an earlier holder left unfinished is removed."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another build to finish")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left_over in folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left_over, ignore_errors=True)
        yield


def _build(name: str, folder: Path, task: str) -> None:
    module = _MODULES / _PROGRAMS[name].module
    go = find_go(_from_go_mod(module.name, r"^go (\S+)"), cache_folder())
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=folder) as temporary:
        result = Path(temporary) / "result" / name
        result.parent.mkdir()
        log = Path(temporary) / "log"
        child = spawn("go", [str(go), *_build_arguments(name, result)], log, module, _environment(temporary))
        _watch(child, Progress(task))
        shutil.rmtree(_cached(name).parent, ignore_errors=True)
        result.parent.rename(_cached(name).parent)


def _build_arguments(name: str, output: Path) -> list[str]:
    program, number = _PROGRAMS[name], version(name)
    major, minor = number.split(".")[:2]
    flags = f"-s -w {program.version_flags.format(version=number, major=major, minor=minor)}"
    options = ["-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags", flags, "-o", str(output)]
    return ["build", *options, program.package]


def _environment(temporary: str) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if key not in {"GOOS", "GOARCH"}}
    fixed = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    return {**inherited, **fixed, "GOTMPDIR": temporary}


def _watch(child: Child, progress: Progress) -> None:
    try:
        while child.process.poll() is None:
            progress.tick()
            try:
                child.process.wait(1)
            except subprocess.TimeoutExpired:
                continue
    except BaseException:
        progress.finish("interrupted")
        raise
    finally:
        child.stop()
    progress.finish("done" if child.process.returncode == 0 else "failed")
    if child.process.returncode != 0:
        raise BuildError(f"the Go compiler ended with {child.process.returncode}:\n{child.tail()}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
