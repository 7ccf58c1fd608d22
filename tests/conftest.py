"""What all tests need of the process that runs them, and of the workers that share them out."""

import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.clusters import KUBEVIRTS, Clusters

Report = Callable[..., None]
_REPORTED = "reported"
_FIRST = ("e2e_chart/", "e2e_rotation/", "tests/test_rollout", KUBEVIRTS, "e2e/replay/", "e2e")
"""Parts of the ids of tests on a cluster: with nodes, by KubeVirt's definitions, by our own."""
_SITES = {
    "tests/e2e/admission": True,
    "tests/e2e/examples": True,
    "tests/e2e/outage": True,
    "tests/e2e/preexisting": True,
    "tests/e2e/replay": False,
    "tests/e2e_chart": False,
}
"""Folders whose tests share a webhook on a cluster, and whether that has parameters."""

settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Let the programs that tests start hear SIGINT, which a shell lets its background jobs ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests that take longest begin first, and those follow each other that want the same cluster."""
    items.sort(key=lambda item: next((rank for rank, part in enumerate(_FIRST) if part in item.nodeid), len(_FIRST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep on one worker what shares something that is expensive."""
    from xdist.scheduler import LoadScopeScheduling

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _group
    return scheduler


def _group(test: str) -> str:
    """Return what a test stays together with: its file, or its folder by the parameter of the site that this shares."""
    file, _, name = test.partition("::")
    folder = file.rpartition("/")[0]
    if folder not in _SITES:
        return file
    return f"{folder} {re.split(r'[][-]', name, maxsplit=2)[1:2]}" if _SITES[folder] else folder


@pytest.fixture(scope="session")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """The local cluster, for one suite after the other."""
    running = Clusters(tmp_path_factory.mktemp("clusters"))
    yield running
    running.close()


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    """Print lines at the end of the run, also from a worker, whose output nobody sees."""
    return lambda *lines: record_property(_REPORTED, lines)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests reported."""
    ended = [
        found for some in terminalreporter.stats.values() for found in some if getattr(found, "when", "") == "teardown"
    ]
    if lines := [line for found in ended for name, some in found.user_properties if name == _REPORTED for line in some]:
        terminalreporter.section("what tests found")
        for line in lines:
            terminalreporter.write_line(line)
