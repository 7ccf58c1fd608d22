"""Nothing that was fine before gets stuck: what is done to VMs day by day is done to old violators too."""

from collections.abc import Iterator

import pytest

from tests.conftest import Report
from tests.e2e.preexisting.conftest import Site
from tests.e2e.preexisting.fleet import Fleet
from tests.e2e.preexisting.verbs import VERBS, Verb


@pytest.fixture(scope="module")
def violators(site: Site, report: Report) -> Iterator[Fleet]:
    yield site.working
    report(f"old violators: {site.working.tally}")


@pytest.mark.parametrize("verb", VERBS, ids=str)
def test_of_old_violators_this_passes_for_all(violators: Fleet, verb: Verb) -> None:
    violators.prepare(verb)
    outcome = violators.undergo(verb)
    assert (outcome.denied, outcome.left_out) == ({}, [])
