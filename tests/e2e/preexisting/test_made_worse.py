"""What an old violator may violate is what it violated: each way of making it worse is denied for that alone."""

import pytest

from tests.build_paths import ALICE
from tests.e2e.preexisting.api import Answer
from tests.e2e.preexisting.conftest import Site
from tests.e2e.preexisting.violators import LENIENT, Kind, in_template
from tests.e2e.preexisting.worse import VARIANTS_BY_KIND, Variant


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


def test_a_lowered_strategy_of_a_halted_vm_is_put_right(site: Site) -> None:
    vm = next(found for found in site.samples.of([Kind.HALTED]) if found.fault == LENIENT)
    patched = site.api.patch(vm.owner, in_template(Kind.HALTED, {"evictionStrategy": "None"}), ALICE)
    assert patched.body["spec"]["template"]["spec"]["evictionStrategy"] == "LiveMigrate"
