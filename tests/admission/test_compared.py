"""What the webhook itself compares on an update: the same as the API server, and nothing that it skips matters."""

import copy

import jsonpatch
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.build import Object, disk, volume_request
from tests.e2e.match_conditions.dry_runs import which
from tests.e2e.match_conditions.test_sent import DATA, REQUESTS, ROOT, ROWS, WHOLE, patched
from tests.e2e.objects import declared
from tests.test_properties import choices, clusters, thorough, vms, volumes_of
from webhook import Settings, evaluate
from webhook.admission.scope import COMPARED, KIND_OF_RESOURCE


@pytest.mark.parametrize("kind", KIND_OF_RESOURCE.values())
def test_the_webhook_compares_what_the_api_server_compares(kind: str) -> None:
    obj, compared = declared(kind, WHOLE, "whole"), COMPARED[which(kind)]
    rows = [(name, patch, expected) for of, name, patch, expected in ROWS if of == kind]
    assert [name for name, patch, expected in rows if compared.differs(patched(obj, patch), obj) is not expected] == []


def test_of_the_status_an_added_volume_alone_is_compared() -> None:
    compared = COMPARED[which("VirtualMachine", status=True)]
    for name, old, new, expected in REQUESTS:
        objects = ({"status": {"volumeRequests": requests}} for requests in (new, old))
        assert compared.differs(*objects) is expected, name


@pytest.mark.parametrize("keeper", [{"spec": {"preference": {"inferFromVolume": "root"}}}, "a request", "too many"])
def test_a_removed_volume_is_compared_where_something_depends_on_it(keeper: Object | str) -> None:
    vm, volumes = declared("VirtualMachine", WHOLE, "whole"), [ROOT, DATA]
    if isinstance(keeper, dict):
        vm["spec"] |= keeper["spec"]
    elif keeper == "a request":
        vm["status"] = {"volumeRequests": [volume_request(disk("good", "hot"))]}
    else:
        volumes = [disk("good", f"v{number}") for number in range(257)]
    old = patched(vm, {"volumes": volumes})
    assert COMPARED[which("VirtualMachine")].differs(patched(old, {"volumes": volumes[:-1]}), old)


@thorough
@given(data=st.data(), vm_object=vms(), cluster=clusters(), chosen=choices)
def test_a_change_of_volumes_that_is_not_compared_adds_no_violation_and_no_unverified_name(
    data: st.DataObject, vm_object: Object, cluster: list[Object], chosen: Settings
) -> None:
    old: Object = jsonpatch.apply_patch(vm_object, evaluate(vm_object, cluster, settings=chosen).patch)
    new = copy.deepcopy(old)
    volumes = volumes_of(new)
    kept = data.draw(st.lists(st.sampled_from(range(len(volumes))), unique=True)) if volumes else []
    volumes[:] = [volumes[index] for index in kept]
    assume(not COMPARED[which(vm_object["kind"])].differs(new, old))
    verdict = evaluate(new, cluster, old=old, settings=chosen, operation="UPDATE", final=True)
    assert (verdict.allowed, verdict.missing_names) == (True, [])
    assert all(violation.preexisting for violation in verdict.violations)
