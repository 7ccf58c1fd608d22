"""Does `.ci/run` run every test? Run as `python -m tests.every_test_runs`.

Compares the ids that pytest collects with those that the targets of the Makefile select. Exits with 1 where a test is
left out.
"""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_CHECKOUT = Path(__file__).parents[1]
_TARGET = re.compile(r'^([a-z-]+):.*\n(?:\t.*\n)*?\t.*-m pytest .*-m (?:"([^"]*)"|(\S+))', re.MULTILINE)
_COLLECT = (sys.executable, "-m", "pytest", "--collect-only", "--quiet", "--no-header", "-p", "no:cacheprovider")


def targets() -> dict[str, str]:
    """Return the expression by which each target of the Makefile that `.ci/run` calls selects tests."""
    called = re.findall(r"^make ([a-z-]+)$", (_CHECKOUT / ".ci/run").read_text(), re.MULTILINE)
    found = _TARGET.findall((_CHECKOUT / "Makefile").read_text())
    return {name: quoted or bare for name, quoted, bare in found if name in called}


def collected(*options: str) -> set[str]:
    """Return the ids of the tests that pytest collects; raises CalledProcessError where it cannot."""
    done = subprocess.run([*_COLLECT, *options], cwd=_CHECKOUT, capture_output=True, text=True, check=True)
    return {line for line in done.stdout.splitlines() if "::" in line}


def main() -> int:
    """Compare and print; return the exit status."""
    expressions = targets()
    with ThreadPoolExecutor() as threads:
        every, *selected = threads.map(lambda options: collected(*options), [(), *_options(expressions)])
    for name, ids in zip(expressions, selected, strict=True):
        print(f"make {name}: {len(ids):,} of {len(every):,} tests")
    left_out = sorted(every.difference(*selected))
    print(f"tests that no target runs: {len(left_out)}", *left_out, sep="\n  ")
    return 1 if left_out or not every else 0


def _options(expressions: dict[str, str]) -> list[tuple[str, ...]]:
    return [("-m", expression) for expression in expressions.values()]


if __name__ == "__main__":
    sys.exit(main())
