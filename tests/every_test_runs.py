"""Exits with 1 where no target that `.ci/run` calls runs a test: `python -m tests.every_test_runs`."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_CHECKOUT = Path(__file__).parents[1]
_TARGET = re.compile(r'^([a-z-]+):.*\n(?:\t.*\n)*?\t.*-m pytest .*-m (?:"([^"]*)"|(\S+))', re.MULTILINE)
_COLLECT = (sys.executable, "-m", "pytest", "--collect-only", "--quiet", "--no-header", "-p", "no:cacheprovider", "-m")


def targets() -> dict[str, str]:
    """Return the expression by which each target of the Makefile that `.ci/run` calls selects tests."""
    called = re.findall(r"^make ([a-z-]+)$", (_CHECKOUT / ".ci/run").read_text(), re.MULTILINE)
    found = _TARGET.findall((_CHECKOUT / "Makefile").read_text())
    return {name: quoted or bare for name, quoted, bare in found if name in called}


def collected(expression: str) -> set[str]:
    """Return the ids of the tests that an expression selects; raises CalledProcessError where pytest fails."""
    done = subprocess.run([*_COLLECT, expression], cwd=_CHECKOUT, capture_output=True, text=True, check=True)
    return {line for line in done.stdout.splitlines() if "::" in line}


if __name__ == "__main__":
    expressions = targets()
    with ThreadPoolExecutor() as threads:
        every, *selected = threads.map(collected, ["", *expressions.values()])
    for name, ids in zip(expressions, selected, strict=True):
        print(f"make {name}: {len(ids):,} of {len(every):,} tests")
    left_out = sorted(every.difference(*selected))
    print(f"tests that no target runs: {len(left_out)}", *left_out, sep="\n  ")
    sys.exit(bool(left_out) or not every)
