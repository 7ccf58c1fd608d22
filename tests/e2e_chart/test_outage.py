"""With no pod left: nothing gets in unjudged, what is there lives on, and nobody else is disturbed."""

from collections.abc import Iterator
from dataclasses import dataclass
from re import fullmatch

import pytest

from tests.build import RWO, Object, claim, data_volume, disk
from tests.build_paths import ALICE, CONTROLLER
from tests.e2e_chart.site import Site
from tests.e2e_old.api import Answer, Api
from tests.e2e_old.fleet import Fleet, sound_machines
from tests.e2e_old.verbs import VERBS, Verb
from tests.e2e_old.violators import NOTHING, Kind, declared, in_template

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
UNJUDGED = [verb for verb in VERBS if not verb.judged]
NAMES_US = r'500: Internal error occurred: failed calling webhook "[a-z-]+\.validate\.migratability\.io".*'


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


def is_refused_without_us(answer: Answer) -> bool:
    return fullmatch(NAMES_US, answer.message) is not None


@pytest.mark.parametrize("kind", Kind, ids=str)
def test_no_machine_is_made(outage: Outage, kind: Kind) -> None:
    answer = outage.api.create(declared(kind, NOTHING, "late"), ALICE)
    assert is_refused_without_us(answer), answer.message


@pytest.mark.parametrize("kind", Kind, ids=str)
def test_no_machine_is_made_worse(outage: Outage, kind: Kind) -> None:
    (machine,) = outage.machines.of([kind])
    worse = in_template(kind, {"volumes": NOTHING.volumes(disk("once-new", "new"))})
    answer = outage.api.patch(machine.owner, worse, ALICE)
    assert is_refused_without_us(answer), answer.message


def _claim() -> Object:
    return claim("other", RWO, resources={"requests": {"storage": "1Gi"}})


def _pod() -> Object:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "other", "namespace": "vms"}, "spec": spec}


OTHERS: list[tuple[Object, str]] = [
    ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}, ALICE),
    (_claim(), ALICE),
    (data_volume("other", source={"blank": {}}, pvc=_claim()["spec"]), CONTROLLER),
    (_pod(), CONTROLLER),
]


@pytest.mark.parametrize(("obj", "user"), OTHERS, ids=[obj["kind"] for obj, _ in OTHERS])
def test_other_objects_are_made_changed_and_deleted(outage: Outage, obj: Object, user: str) -> None:
    labelled = {"metadata": {"labels": {"team": "a"}}}
    answers = [outage.api.create(obj, user), outage.api.patch(obj, labelled, user), outage.api.delete(obj, user)]
    assert [answer.message for answer in answers if not answer.passed] == []


@pytest.mark.parametrize("verb", UNJUDGED, ids=str)
def test_of_machines_from_before_this_passes(outage: Outage, verb: Verb) -> None:
    outcome = outage.machines.undergo(verb)
    assert (outcome.refused, outcome.left_out) == ({}, [])
