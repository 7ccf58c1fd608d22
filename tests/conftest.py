"""What all tests need of the process that runs them, and of the workers that share them out."""

import signal
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

Report = Callable[..., None]
_PRINTED = pytest.StashKey[list[str]]()

settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")


def pytest_configure(config: pytest.Config) -> None:
    """Let the programs that tests interrupt hear it, also where the tests run in the background of a shell.

    A shell lets its background jobs ignore SIGINT, and a process hands that on to what it starts.
    """
    config.stash[_PRINTED] = []
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file on one worker, and those of suites that share a site; these come first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: "e2e" not in item.nodeid)


def _group(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    """Print lines at the end of the run, also from a worker, whose output nobody sees."""

    return lambda *lines: request.config.stash[_PRINTED].extend(lines)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what a worker's tests print to the process that shows it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["printed"] = session.config.stash[_PRINTED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker's tests printed."""
    node.config.stash[_PRINTED].extend(getattr(node, "workeroutput", {}).get("printed", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what tests printed."""
    if config.stash[_PRINTED]:
        terminalreporter.section("what tests found")
        for line in config.stash[_PRINTED]:
            terminalreporter.write_line(line)
