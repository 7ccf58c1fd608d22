"""With every process of the webhook gone, old violators and sound machines live on, and nothing gets in or worse."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.build import Object
from tests.build_paths import ALICE, REASON
from tests.conftest import Report
from tests.e2e.preexisting.api import Api
from tests.e2e.preexisting.conftest import Site
from tests.e2e.preexisting.fleet import Fleet, Outcome, sound_machines
from tests.e2e.preexisting.verbs import VERBS, Verb
from tests.e2e.preexisting.violators import NOTHING, Kind, Machine, declared
from tests.e2e.preexisting.without_us import OTHERS, is_out_of_reach, make_change_and_delete
from tests.e2e.preexisting.worse import WAYS_BY_KIND, Way

UNJUDGED = [verb for verb in VERBS if not verb.judged]
JUDGED = [verb for verb in VERBS if verb.judged]


@dataclass(frozen=True)
class Outage:
    """The cluster without our process: old violators, and machines that were admitted before it went."""

    site: Site
    verified: Fleet

    @property
    def api(self) -> Api:
        """The API server."""
        return self.site.api


@pytest.fixture(scope="module")
def outage(site: Site, report: Report) -> Iterator[Outage]:
    verified = sound_machines(site.api, "verified")
    for verb in VERBS:
        site.in_outage.prepare(verb)
    site.installation.stop()
    yield Outage(site, verified)
    site.installation.start()
    report(f"old violators without the webhook: {site.in_outage.tally}")
    report(f"verified machines without the webhook: {verified.tally}")


def not_out_of_reach(found: Outcome, machines: list[Machine]) -> dict[str, str]:
    """Return what became of the machines that were not refused as out of reach."""
    told = {str(machine): found.refused.get(str(machine), "passed") for machine in machines}
    return {name: message for name, message in told.items() if not is_out_of_reach(message)}


@pytest.mark.parametrize("verb", JUDGED, ids=str)
def test_of_old_violators_this_is_refused(outage: Outage, verb: Verb) -> None:
    violators = outage.site.in_outage
    assert not_out_of_reach(violators.attempt(verb), violators.of(verb.kinds)) == {}


def test_a_label_of_ours_is_refused(outage: Outage) -> None:
    violators = outage.site.in_outage
    mark = {"metadata": {"labels": {"exempt.migratability.io/all": "true"}, "annotations": REASON}}
    found = violators.each(violators.machines, lambda machine: outage.api.patch(machine.owner, mark, ALICE))
    assert not_out_of_reach(found, violators.machines) == {}


@pytest.mark.parametrize(("kind", "way"), WAYS_BY_KIND, ids=[f"{way} of {kind}" for kind, way in WAYS_BY_KIND])
def test_no_machine_is_made_worse(outage: Outage, kind: Kind, way: Way) -> None:
    samples, machines = outage.site.samples, outage.site.samples.of([kind], way.faults)
    found = samples.each(machines, lambda machine: way.act(outage.api, machine))
    assert not_out_of_reach(found, machines) == {}


@pytest.mark.parametrize("kind", Kind, ids=str)
def test_no_machine_is_made(outage: Outage, kind: Kind) -> None:
    assert is_out_of_reach(outage.api.create(declared(kind, NOTHING, "late"), ALICE).message)


@pytest.mark.parametrize("verb", UNJUDGED, ids=str)
def test_of_old_violators_this_passes_for_all(outage: Outage, verb: Verb) -> None:
    outcome = outage.site.in_outage.undergo(verb)
    assert (outcome.refused, outcome.left_out) == ({}, [])


@pytest.mark.parametrize("verb", UNJUDGED, ids=str)
def test_of_verified_machines_this_passes_for_all(outage: Outage, verb: Verb) -> None:
    outcome = outage.verified.undergo(verb)
    assert (outcome.refused, outcome.left_out) == ({}, [])


@pytest.mark.parametrize(("obj", "user"), OTHERS, ids=[obj["kind"] for obj, _ in OTHERS])
def test_other_objects_are_made_changed_and_deleted(outage: Outage, obj: Object, user: str) -> None:
    assert make_change_and_delete(outage.api, obj, user) == []
