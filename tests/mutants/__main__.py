"""``python -m tests.mutants``: do the tests notice when the product is changed in one small place?

Exit status: 0 when the tests notice at least 90 % in each package, 1 when not, 2 for bad usage or where the tests fail
without a change.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.mutants.mutations import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
GUARDS = {
    "policy": ("tests/policy", "tests/admission", "tests/test_public_api.py"),
    "storage": ("tests/storage", "tests/policy", "tests/admission"),
    "kubevirt": ("tests/kubevirt", "tests/policy", "tests/admission"),
    "admission": ("tests/admission", "tests/test_public_api.py"),
}
"""By package, the tests that guard it, those that notice the most first."""
ENOUGH = 0.9
_IGNORED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")
_PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-n", "0")

Drawn = list[tuple[str, Mutant]]
"""Mutants, each with the path of its file in the checkout."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """A copy of the checkout in a folder, in which one mutant at a time is made and tested."""

    folder: Path
    tests: tuple[str, ...]

    def passes(self, seconds: float, *, keep_bytecode: bool = False) -> bool:
        """Run the tests and say whether they pass in so many seconds."""
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "" if keep_bytecode else "1"}
        command = [*_PYTEST, *self.tests]
        try:
            run = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return run.returncode == 0

    def survivors(self, drawn: Drawn, seconds: float) -> int:
        """Test each mutant in turn, print those that the tests do not notice and return how many."""
        survivors = 0
        for path, mutant in drawn:
            file = self.folder / path
            source = file.read_text()
            file.write_text(mutant.applied_to(source))
            # bytecode is found by the time and size of its source, which a mutant may share with the original
            Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
            if self.passes(seconds):
                survivors += 1
                print(shown(path, mutant), flush=True)
            file.write_text(source)
        return survivors


def main(arguments: list[str] | None = None) -> int:
    """Run, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Do the tests notice small changes?")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="which mutants are drawn")
    parser.add_argument("--per-package", type=int, default=30, help="how many in each package (default: 30)")
    parser.add_argument("--package", action="append", choices=GUARDS, help="only this package; may be repeated")
    parser.add_argument("--jobs", type=int, default=2, help="how many are tested at a time (default: 2)")
    options = parser.parse_args(arguments)
    if options.per_package < 1 or options.jobs < 1:
        parser.error("--per-package and --jobs must be at least 1")
    print(f"seed {options.seed}", flush=True)
    shares = []
    for name in options.package or GUARDS:
        drawn = drawn_from(name, options.seed)[: options.per_package]
        survivors = _survivors(drawn, GUARDS[name], options.jobs)
        if survivors is None:
            print(f"{name}: the tests fail without a change", file=sys.stderr)
            return 2
        print(f"{name}: {len(drawn) - survivors} of {len(drawn)} noticed", flush=True)
        shares.append(1 - survivors / len(drawn))
    return 0 if min(shares) >= ENOUGH else 1


def drawn_from(package: str, seed: int) -> Drawn:
    """Return all mutants of a package with the paths of their files, in an order that the seed gives.

    Each kind of change has its turn, so that the first few are of all kinds.
    """
    files = sorted((ROOT / "webhook" / package).rglob("*.py"))
    found = [(str(file.relative_to(ROOT)), mutant) for file in files for mutant in mutants_of(file.read_text())]
    random.Random(seed).shuffle(found)
    turns: defaultdict[str, Iterator[int]] = defaultdict(count)
    return sorted(found, key=lambda entry: next(turns[entry[1].kind]))


def _survivors(drawn: Drawn, tests: tuple[str, ...], jobs: int) -> int | None:
    """Print the mutants that the tests do not notice and return how many; None where they fail without a change."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        benches = [Workbench(Path(scratch, str(number), "checkout"), tests) for number in range(jobs)]
        first = benches[0].folder
        shutil.copytree(ROOT, first, ignore=_IGNORED)
        (first.parent / "shared").symlink_to(ROOT.parent / "shared")
        began = time.monotonic()
        if not benches[0].passes(1800, keep_bytecode=True):
            return None
        seconds = 30 + 3 * (time.monotonic() - began)
        for bench in benches[1:]:
            shutil.copytree(first.parent, bench.folder.parent, symlinks=True)
        with ThreadPoolExecutor(jobs) as pool:
            return sum(pool.map(lambda number: benches[number].survivors(drawn[number::jobs], seconds), range(jobs)))


def shown(path: str, mutant: Mutant) -> str:
    """Return a mutant as three lines: where it is, the code before, the code after; long ones around the change."""
    pairs = zip(mutant.before, mutant.text, strict=False)
    first = next((index for index, (before, after) in enumerate(pairs) if before != after), 0)
    start = max(0, first - 60)
    before, after = (" ".join(text[start : start + 150].split()) for text in (mutant.before, mutant.text))
    return f"  {path}:{mutant.line} ({mutant.kind})\n    - {before}\n    + {after}"


if __name__ == "__main__":
    sys.exit(main())
