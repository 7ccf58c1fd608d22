"""With every process of the webhook gone, old violators and sound VMs live on, and nothing gets in or worse."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.build import Object
from tests.build_paths import ALICE, REASON
from tests.conftest import Report
from tests.e2e.preexisting.api import Api
from tests.e2e.preexisting.conftest import Site
from tests.e2e.preexisting.fleet import Fleet, Outcome, good_vms
from tests.e2e.preexisting.verbs import VERBS, Verb
from tests.e2e.preexisting.violators import NOTHING, VM, Kind, declared
from tests.e2e.preexisting.without_us import OTHERS, is_out_of_reach, make_change_and_delete
from tests.e2e.preexisting.worse import VARIANTS_BY_KIND, Variant

NOT_EVALUATED = [verb for verb in VERBS if not verb.evaluated]
EVALUATED = [verb for verb in VERBS if verb.evaluated]


@dataclass(frozen=True)
class Outage:
    """The cluster without our process: old violators, and VMs that were admitted before it went."""

    site: Site
    verified: Fleet

    @property
    def api(self) -> Api:
        """The API server."""
        return self.site.api


@pytest.fixture(scope="module")
def outage(site: Site, report: Report) -> Iterator[Outage]:
    verified = good_vms(site.api, "verified")
    for verb in VERBS:
        site.in_outage.prepare(verb)
    site.installation.stop()
    yield Outage(site, verified)
    site.installation.start()
    report(f"old violators without the webhook: {site.in_outage.tally}")
    report(f"verified VMs without the webhook: {verified.tally}")


def not_out_of_reach(found: Outcome, vms: list[VM]) -> dict[str, str]:
    """Return what became of the VMs that were not denied as out of reach."""
    reported = {str(vm): found.denied.get(str(vm), "passed") for vm in vms}
    return {name: message for name, message in reported.items() if not is_out_of_reach(message)}


@pytest.mark.parametrize("verb", EVALUATED, ids=str)
def test_of_old_violators_this_is_denied(outage: Outage, verb: Verb) -> None:
    violators = outage.site.in_outage
    assert not_out_of_reach(violators.attempt(verb), violators.of(verb.kinds)) == {}


def test_a_label_of_ours_is_denied(outage: Outage) -> None:
    violators = outage.site.in_outage
    annotation = {"metadata": {"labels": {"exempt.migratability.io/all": "true"}, "annotations": REASON}}
    found = violators.each(violators.vms, lambda vm: outage.api.patch(vm.owner, annotation, ALICE))
    assert not_out_of_reach(found, violators.vms) == {}


@pytest.mark.parametrize(
    ("kind", "variant"), VARIANTS_BY_KIND, ids=[f"{variant} of {kind}" for kind, variant in VARIANTS_BY_KIND]
)
def test_no_vm_is_made_worse(outage: Outage, kind: Kind, variant: Variant) -> None:
    samples, vms = outage.site.samples, outage.site.samples.of([kind], variant.faults)
    found = samples.each(vms, lambda vm: variant.act(outage.api, vm))
    assert not_out_of_reach(found, vms) == {}


@pytest.mark.parametrize("kind", Kind, ids=str)
def test_no_vm_is_made(outage: Outage, kind: Kind) -> None:
    assert is_out_of_reach(outage.api.create(declared(kind, NOTHING, "late"), ALICE).message)


@pytest.mark.parametrize("verb", NOT_EVALUATED, ids=str)
def test_of_old_violators_this_passes_for_all(outage: Outage, verb: Verb) -> None:
    outcome = outage.site.in_outage.undergo(verb)
    assert (outcome.denied, outcome.left_out) == ({}, [])


@pytest.mark.parametrize("verb", NOT_EVALUATED, ids=str)
def test_of_verified_vms_this_passes_for_all(outage: Outage, verb: Verb) -> None:
    outcome = outage.verified.undergo(verb)
    assert (outcome.denied, outcome.left_out) == ({}, [])


@pytest.mark.parametrize(("obj", "user"), OTHERS, ids=[obj["kind"] for obj, _ in OTHERS])
def test_other_objects_are_made_changed_and_deleted(outage: Outage, obj: Object, user: str) -> None:
    assert make_change_and_delete(outage.api, obj, user) == []
