"""What an old violator may violate is what it violated: each way of making it worse is refused for that alone."""

import pytest

from tests.build_paths import ALICE
from tests.e2e.preexisting.api import Answer
from tests.e2e.preexisting.conftest import Site
from tests.e2e.preexisting.violators import LENIENT, Kind, in_template
from tests.e2e.preexisting.worse import WAYS_BY_KIND, Way


@pytest.mark.parametrize(("kind", "way"), WAYS_BY_KIND, ids=[f"{way} of {kind}" for kind, way in WAYS_BY_KIND])
def test_this_is_refused_for_that_alone(site: Site, kind: Kind, way: Way) -> None:
    machines = site.samples.of([kind], way.faults)
    told = site.samples.each(machines, lambda machine: way.act(site.api, machine)).answers
    otherwise = {name: found for name, [found] in told.items() if not _is_refused_for_that_alone(found, way)}
    assert (len(told), otherwise) == (len(way.faults), {})


def _is_refused_for_that_alone(answer: Answer, way: Way) -> bool:
    right = [way.about in cause and f"[{way.rule}]" in cause for cause in answer.causes]
    return (answer.status, right) == (422, [True])


def test_a_lowered_strategy_of_a_halted_machine_is_put_right(site: Site) -> None:
    machine = next(found for found in site.samples.of([Kind.HALTED]) if found.fault == LENIENT)
    patched = site.api.patch(machine.owner, in_template(Kind.HALTED, {"evictionStrategy": "None"}), ALICE)
    assert patched.body["spec"]["template"]["spec"]["evictionStrategy"] == "LiveMigrate"
