"""With no pod left: nothing gets in unjudged, what is there lives on, and nobody else is disturbed."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.build import Object, disk
from tests.build_paths import ALICE
from tests.e2e.preexisting.api import Api
from tests.e2e.preexisting.fleet import Fleet, sound_machines
from tests.e2e.preexisting.verbs import VERBS, Verb
from tests.e2e.preexisting.violators import NOTHING, Kind, declared, in_template
from tests.e2e.preexisting.without_us import OTHERS, is_out_of_reach, make_change_and_delete
from tests.e2e_chart.site import Site

pytestmark = pytest.mark.cluster
UNJUDGED = [verb for verb in VERBS if not verb.judged]


@dataclass(frozen=True)
class Outage:
    """The cluster without any pod of the webhook, and a machine of each kind from before."""

    api: Api
    machines: Fleet


@pytest.fixture(scope="module")
def outage(site: Site) -> Iterator[Outage]:
    """All pods of a release go, and come again."""
    site.have_release()
    with Api(site.cluster) as api:
        machines = sound_machines(api, "verified")
        site.scale(0)
        site.await_no_pods()
        yield Outage(api, machines)
        site.scale(2)
        site.await_in_force()


@pytest.mark.parametrize("kind", Kind, ids=str)
def test_no_machine_is_made(outage: Outage, kind: Kind) -> None:
    answer = outage.api.create(declared(kind, NOTHING, "late"), ALICE)
    assert is_out_of_reach(answer.message), answer.message


@pytest.mark.parametrize("kind", Kind, ids=str)
def test_no_machine_is_made_worse(outage: Outage, kind: Kind) -> None:
    (machine,) = outage.machines.of([kind])
    worse = in_template(kind, {"volumes": NOTHING.volumes(disk("once-new", "new"))})
    answer = outage.api.patch(machine.owner, worse, ALICE)
    assert is_out_of_reach(answer.message), answer.message


@pytest.mark.parametrize(("obj", "user"), OTHERS, ids=[obj["kind"] for obj, _ in OTHERS])
def test_other_objects_are_made_changed_and_deleted(outage: Outage, obj: Object, user: str) -> None:
    assert make_change_and_delete(outage.api, obj, user) == []


@pytest.mark.parametrize("verb", UNJUDGED, ids=str)
def test_of_machines_from_before_this_passes(outage: Outage, verb: Verb) -> None:
    outcome = outage.machines.undergo(verb)
    assert (outcome.refused, outcome.left_out) == ({}, [])
