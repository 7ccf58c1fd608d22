"""What is done to VMs day by day can be done to pre-existing violators, and each way to make one worse is denied."""

import pytest

from tests.build_paths import ALICE
from tests.e2e.admission.conftest import requests_to
from tests.e2e.preexisting.api import Answer
from tests.e2e.preexisting.conftest import Site
from tests.e2e.preexisting.verbs import VERBS, Verb
from tests.e2e.preexisting.violators import LENIENT, Kind, in_template
from tests.e2e.preexisting.worse import VARIANTS_BY_KIND, Variant


@pytest.mark.parametrize("verb", VERBS, ids=str)
def test_this_passes_for_all_violators_and_needs_the_webhook_only_where_volumes_change(site: Site, verb: Verb) -> None:
    """What the API server does not ask about also passes in an outage."""
    site.working.prepare(verb)
    before = requests_to(site.installation)
    outcome = site.working.undergo(verb)
    asked = {call for call in requests_to(site.installation) - before if call[0] == "/validate"}
    assert (outcome.denied, outcome.left_out) == ({}, [])
    assert verb.evaluated in (None, bool(asked)), asked


@pytest.mark.parametrize(
    ("kind", "variant"), VARIANTS_BY_KIND, ids=[f"{variant} of {kind}" for kind, variant in VARIANTS_BY_KIND]
)
def test_this_is_denied_for_that_alone(site: Site, kind: Kind, variant: Variant) -> None:
    vms = site.samples.of([kind], variant.faults)
    reported = site.samples.each(vms, lambda vm: variant.act(site.api, vm)).answers
    otherwise = {name: found for name, [found] in reported.items() if not _is_denied_for_that_alone(found, variant)}
    assert (len(reported), otherwise) == (len(variant.faults), {})


def _is_denied_for_that_alone(answer: Answer, variant: Variant) -> bool:
    right = [variant.about in cause and f"[{variant.rule}]" in cause for cause in answer.causes]
    return (answer.status, right) == (422, [True])


def test_a_lowered_strategy_of_a_halted_vm_is_reset(site: Site) -> None:
    vm = next(found for found in site.samples.of([Kind.HALTED]) if found.fault == LENIENT)
    patched = site.api.patch(vm.owner, in_template(Kind.HALTED, {"evictionStrategy": "None"}), ALICE)
    assert patched.body["spec"]["template"]["spec"]["evictionStrategy"] == "LiveMigrate"
