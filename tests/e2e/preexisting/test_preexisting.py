"""What is done to VMs day by day can be done to pre-existing violators, and what makes one worse is denied."""

from collections.abc import Callable, Iterable

import pytest

from tests.build import disk, volume_request
from tests.build_paths import ALICE, APISERVER
from tests.e2e.admission.conftest import requests_to
from tests.e2e.preexisting.api import Answer, Api
from tests.e2e.preexisting.conftest import Site
from tests.e2e.preexisting.verbs import VERBS, Act, Verb
from tests.e2e.preexisting.violators import ALIVE, FAULTS, LENIENT, TEMPLATED, VIRTUAL, VM, Kind, in_template

NEW = disk("once-new", "new")


def denied(api: Api, act: Act, vms: Iterable[VM]) -> dict[str, str]:
    """Do something to some VMs, each until a write is denied; return which VMs that was, and why."""

    def attempt(vm: VM) -> tuple[str, str]:
        problem = "it is left out"
        for answer in act(api, vm):
            problem = "" if answer.passed else answer.message
            if problem:
                break
        return str(vm), problem

    return {name: why for name, why in api.all(attempt, vms) if why}


@pytest.mark.parametrize("verb", VERBS, ids=str)
def test_this_passes_for_all_violators_and_needs_the_webhook_only_where_volumes_change(site: Site, verb: Verb) -> None:
    """What the API server does not ask about also passes in an outage."""
    before = requests_to(site.installation)
    for act in filter(None, (verb.before, verb.act)):
        assert denied(site.api, act, (vm for vm in site.working if vm.kind in verb.kinds)) == {}
    asked = {call for call in requests_to(site.installation) - before if call[0] == "/validate"}
    assert verb.evaluated in (None, bool(asked)), asked


def in_a_template(api: Api, vm: VM) -> Answer:
    return api.patch(vm.owner, in_template(vm.kind, {"volumes": vm.fault.volumes(NEW)}), ALICE)


def by_virtctl_addvolume(api: Api, vm: VM) -> Answer:
    request = {"addVolumeOptions": {**volume_request(NEW)["addVolumeOptions"], "disk": {"name": "new"}}}
    return api.patch(vm.virtual_machine or vm.owner, {"status": {"volumeRequests": [request]}}, APISERVER, "status")


def into_a_vmi(api: Api, vm: VM) -> Answer:
    return api.patch(vm.instance or vm.owner, {"spec": {"volumes": vm.fault.volumes(NEW)}}, APISERVER)


def lowered_strategy(api: Api, vm: VM) -> Answer:
    return api.patch(vm.owner, in_template(vm.kind, {"evictionStrategy": "None"}), ALICE)


BAD_PVC, STRATEGY = ('volume "new"', "[shared-access]"), ('evictionStrategy is "None"', "[eviction-strategy]")


@pytest.mark.parametrize(
    ("write", "kinds", "faults", "about"),
    [
        (in_a_template, TEMPLATED, FAULTS, BAD_PVC),
        (by_virtctl_addvolume, VIRTUAL, FAULTS, BAD_PVC),
        (into_a_vmi, ALIVE, FAULTS, BAD_PVC),
        (lowered_strategy, ALIVE, (LENIENT,), STRATEGY),
    ],
)
def test_a_violation_more_is_denied_for_that_alone(
    site: Site,
    write: Callable[[Api, VM], Answer],
    kinds: tuple[Kind, ...],
    faults: tuple[object, ...],
    about: tuple[str, str],
) -> None:
    vms = [vm for vm in site.samples if vm.kind in kinds and vm.fault in faults]
    causes = site.api.all(lambda vm: (str(vm), write(site.api, vm).causes), vms)
    reported = {name: [all(part in cause for part in about) for cause in found] for name, found in causes}
    assert len(reported) == len(kinds) * len(faults)
    assert {name: right for name, right in reported.items() if right != [True]} == {}


def test_a_lowered_strategy_of_a_halted_vm_is_reset(site: Site) -> None:
    vm = next(found for found in site.samples if (found.kind, found.fault) == (Kind.HALTED, LENIENT))
    assert lowered_strategy(site.api, vm).body["spec"]["template"]["spec"]["evictionStrategy"] == "LiveMigrate"
