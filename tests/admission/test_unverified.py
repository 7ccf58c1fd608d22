"""What could not be evaluated yet is named on the VM, until it was evaluated good."""

import copy
from collections.abc import Callable
from typing import Any

import jsonpatch
import pytest

from tests.build import (
    CLUSTER,
    RWO,
    RWX,
    Object,
    claim,
    data_volume,
    data_volume_disk,
    data_volume_template,
    disk,
    templated_vm,
    vm,
    vmi,
    volume_request,
)
from tests.build_paths import (
    APISERVER,
    CONTROLLER,
    KUBEVIRT,
    Lagging,
    Rights,
    ask,
    clone,
    exempt,
    namespace,
    pool,
    replica_set,
    request,
    tagged,
    with_annotation,
)
from webhook.admission.handler import mutate, validate
from webhook.admission.review import Request
from webhook.cluster import Cluster, Snapshot, Undecidable
from webhook.kubevirt.unverified import unverified_names
from webhook.names import UNVERIFIED
from webhook.settings import Settings

BUILDERS: dict[str, Callable[..., Object]] = {
    "VirtualMachine": vm,
    "instance": vmi,
    "ReplicaSet": replica_set,
    "Pool": pool,
}
OF_TEMPLATES = {kind: make for kind, make in BUILDERS.items() if kind != "instance"}
PREDICTED = "claim/later"
EDIT: Object = {"architecture": "amd64"}
"""An update that is evaluated, and changes nothing that a rule denies."""
SHARED, ONCE, ON_SAN = claim("later", RWX), claim("later", RWO), claim("later", RWX, storage_class="san")


def after(obj: Object, old: Object | None = None, *objects: Object, **how: Any) -> frozenset[str]:
    """Return what the marks of an object name after our patch."""
    found = ask(obj, old, *objects, side=mutate, **how)
    return unverified_names(jsonpatch.apply_patch(obj, found.patch))


def validated(obj: Object, old: Object | None = None, *objects: Object, **how: Any) -> bool:
    """Return whether an object is admitted as it stands; raises Undecidable."""
    cluster = Rights((KUBEVIRT, *CLUSTER, *objects))
    response, _ = validate(request(obj, old, **how), cluster, Settings(), 5.0)
    admitted: bool = response.body["response"]["allowed"]
    return admitted


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_pvc_that_is_not_there_is_named(kind: str) -> None:
    assert after(BUILDERS[kind](disk("good"), disk("later"))) == {PREDICTED}


def test_a_pvc_that_a_template_or_a_data_volume_will_make_is_named() -> None:
    spec = {"storage": {"storageClassName": "nas", "accessModes": [RWX]}}
    assert after(templated_vm("root", "data", spec=spec)) == {"claim/root", "claim/data"}
    assert after(vm(disk("later")), None, data_volume("later", **spec)) == {PREDICTED}


@pytest.mark.parametrize("field", ["instancetype", "preference"])
@pytest.mark.parametrize(
    "matcher", [{"name": "large"}, {"name": "x", "revisionName": "large"}], ids=["name", "revision"]
)
def test_an_instancetype_and_a_preference_that_are_not_there_are_named(field: str, matcher: Object) -> None:
    assert after(vm(disk("good"), spec={field: matcher})) == {f"{field}/large"}


def test_a_vm_of_which_everything_is_there_has_no_mark() -> None:
    assert UNVERIFIED not in str(ask(vm(disk("good"), disk("good-block")), side=mutate).patch)


def test_a_pvc_whose_name_no_object_can_have_is_not_named() -> None:
    assert after(vm(disk("not a name"), disk("later"))) == {PREDICTED}


@pytest.mark.parametrize("kind", ["VirtualMachine", "ReplicaSet"])
def test_a_name_goes_when_its_pvc_is_there_and_good(kind: str) -> None:
    obj, edited = (with_annotation(BUILDERS[kind](disk("later"), **edit), PREDICTED) for edit in ({}, EDIT))
    assert after(edited, obj, SHARED) == frozenset()


def test_the_marks_of_a_pool_change_only_with_its_vms_template() -> None:
    """A Pool restarts the VMs that are not as its template."""
    old = with_annotation(pool(disk("later")), PREDICTED)
    scaled = {**old, "spec": {**old["spec"], "replicas": 3}}
    assert ask(scaled, old, SHARED, side=mutate).patch == []
    labelled = tagged(old, "spec", "virtualMachineTemplate", labels={"x": "y"})
    assert ask(labelled, old, SHARED, side=mutate).patch == []
    assert after(with_annotation(pool(disk("later"), **EDIT), PREDICTED), old, SHARED) == frozenset()


def test_a_pools_template_is_named_whatever_pvc_has_its_name() -> None:
    """KubeVirt numbers them: the PVC of that name is another's."""
    spec = {"storage": {"storageClassName": "nas", "accessModes": [RWX]}}
    made = pool(data_volume_disk("good"), spec={"dataVolumeTemplates": [data_volume_template("good", **spec)]})
    assert after(made) == {"claim/good"}
    once = {"storage": {"storageClassName": "nas", "accessModes": [RWO]}}
    bad = pool(data_volume_disk("good"), spec={"dataVolumeTemplates": [data_volume_template("good", **once)]})
    assert ask(bad).rules == ["shared-access"]


@pytest.mark.parametrize("kind", OF_TEMPLATES)
@pytest.mark.parametrize("arrived", [ONCE, ON_SAN], ids=["ReadWriteOnce", "SAN Filesystem"])
def test_a_name_stays_when_its_pvc_is_there_and_bad(kind: str, arrived: Object) -> None:
    obj, edited = (with_annotation(BUILDERS[kind](disk("later"), **edit), PREDICTED) for edit in ({}, EDIT))
    assert after(edited, obj, arrived) == {PREDICTED}


def test_a_name_goes_when_its_pvc_is_bad_and_exempt() -> None:
    obj, edited = (with_annotation(exempt(vm(disk("later"), **edit)), PREDICTED) for edit in ({}, EDIT))
    assert after(edited, obj, ONCE) == frozenset()


def test_a_name_goes_when_the_vm_no_longer_has_the_volume() -> None:
    assert (
        after(with_annotation(vm(disk("good")), PREDICTED), with_annotation(vm(disk("later")), PREDICTED))
        == frozenset()
    )


def test_a_bad_pvc_of_an_old_vm_that_was_never_marked_is_not_named() -> None:
    obj = vm(disk("once"))
    assert after(vm(disk("once"), **EDIT), obj) == frozenset()


ONCE_TEMPLATE = {"storage": {"storageClassName": "nas", "accessModes": [RWO]}}


def test_a_pvc_that_was_predicted_to_be_bad_and_let_in_was_evaluated() -> None:
    """The VMs of an old or exempt Pool, and old VMs whose PVCs are made again, must start."""
    vm_object = templated_vm("root", spec=ONCE_TEMPLATE)
    assert after(exempt(vm_object)) == frozenset()
    edited = {**vm_object, "spec": {**vm_object["spec"], "preference": None}}
    assert after(edited, vm_object) == frozenset()


def test_a_name_stays_while_its_pvc_is_only_predicted_whatever_the_prediction_says() -> None:
    """CDI may make the PVC much later, and another one may come instead."""
    predicted = data_volume("later", **ONCE_TEMPLATE)
    for obj in (vm(disk("later")), exempt(vm(disk("later")))):
        unverified = with_annotation(obj, PREDICTED)
        assert after(unverified, unverified, predicted) == {PREDICTED}


def test_what_an_old_vm_waits_for_without_a_mark_it_waits_for_as_before() -> None:
    assert after(vm(disk("later"), **EDIT), vm(disk("later"))) == frozenset()
    assert after(vm(disk("later"), disk("more"), **EDIT), vm(disk("later"))) == {"claim/more"}


def test_what_was_requested_and_is_not_there_is_named_when_it_reaches_the_template() -> None:
    old = vm(status={"volumeRequests": [volume_request(disk("later"))]})
    assert after(vm(disk("later")), old, user=CONTROLLER) == {PREDICTED}


def test_what_nobody_could_evaluate_is_no_precedent_for_another_pvc() -> None:
    old = with_annotation(vm(disk("later", "data")), PREDICTED)
    assert ask(vm(disk("once", "data")), old, ONCE).rules == ["shared-access"]
    assert ask(with_annotation(vm(disk("later", "data"), **EDIT), PREDICTED), old, ONCE).rules == []


NIC = {"name": "nic", "deviceName": "intel.com/nic"}
LARGE = {
    "apiVersion": "instancetype.kubevirt.io/v1beta1",
    "kind": "VirtualMachineClusterInstancetype",
    "metadata": {"name": "large"},
    "spec": {"hostDevices": [NIC]},
}


def test_a_device_of_an_instancetype_that_nobody_could_evaluate_is_no_precedent_for_ones_own() -> None:
    old = with_annotation(vm(disk("good"), spec={"instancetype": {"name": "large"}}), "instancetype/large")
    own = vm(disk("good"), domain={"devices": {"hostDevices": [NIC]}})
    assert ask(own, old, LARGE).rules == ["host-devices"]


def test_ones_own_old_device_keeps_no_preference_named() -> None:
    win = {**LARGE, "kind": "VirtualMachineClusterPreference", "metadata": {"name": "win"}, "spec": {}}
    old = vm(disk("good"), spec={"preference": {"name": "win"}}, domain={"devices": {"hostDevices": [NIC]}})
    unverified_old = with_annotation(old, "preference/win")
    edited = copy.deepcopy(unverified_old)
    edited["spec"]["template"]["spec"].update(EDIT)
    assert after(edited, unverified_old, win) == frozenset()
    assert ask(edited, unverified_old, win).allowed


def test_an_instancetype_stays_named_while_it_gives_the_vm_what_cannot_move() -> None:
    spec = {"instancetype": {"name": "large"}}
    obj, edited = (with_annotation(vm(disk("good"), spec=spec, **edit), "instancetype/large") for edit in ({}, EDIT))
    assert after(edited, obj, LARGE) == {"instancetype/large"}
    assert after(edited, obj, {**LARGE, "spec": {}}) == frozenset()


@pytest.mark.parametrize("kind", OF_TEMPLATES)
def test_who_takes_the_mark_away_finds_it_back(kind: str) -> None:
    obj = BUILDERS[kind](disk("later"))
    assert after(obj, with_annotation(obj, PREDICTED)) == {PREDICTED}
    assert after(obj, with_annotation(obj, PREDICTED), ONCE) == {PREDICTED}


STALE = pytest.mark.parametrize("cached", [[], [ONCE], [ON_SAN]], ids=["absent", "ReadWriteOnce", "SAN Filesystem"])


def offered(change: Request, cluster: Cluster) -> list[Object]:
    """Return the patch that the mutating side offers."""
    _, verdict = mutate(change, cluster, Settings(), 5.0)
    return verdict.patch if verdict else []


@STALE
@pytest.mark.parametrize("kind", ["VirtualMachine", "ReplicaSet"])
def test_a_replica_whose_cache_lags_does_not_put_back_a_name_that_the_leader_cleared(
    kind: str, cached: list[Object]
) -> None:
    cleared = BUILDERS[kind](disk("later"), evictionStrategy="LiveMigrate")
    change = request(cleared, with_annotation(cleared, PREDICTED))
    cluster = Lagging(cached, [SHARED])
    assert not offered(change, cluster)
    assert validate(change, cluster, Settings(), 5.0)[0].body["response"]["allowed"]
    assert cluster.confirmed == 2


@pytest.mark.parametrize("live", [[], [ONCE]], ids=["absent", "bad"])
@STALE
def test_a_name_that_somebody_takes_away_is_put_back_where_the_api_server_says_so(
    cached: list[Object], live: list[Object]
) -> None:
    obj = vm(disk("later"), disk("other"))
    taken = with_annotation(obj, "claim/other")
    patch = offered(request(taken, with_annotation(obj, PREDICTED, "claim/other")), Lagging(cached, live))
    assert unverified_names(jsonpatch.apply_patch(taken, patch)) == {PREDICTED, "claim/other"}


def test_a_name_that_stays_and_a_new_one_cost_no_live_get() -> None:
    obj = vm(disk("later"))
    cluster = Lagging([], [])
    mutate(request({**obj, "metadata": {**obj["metadata"], "labels": {"a": "b"}}}), cluster, Settings(), 5.0)
    edited = vm(disk("later"), disk("more"))
    mutate(request(with_annotation(edited, PREDICTED), with_annotation(obj, PREDICTED)), cluster, Settings(), 5.0)
    assert cluster.confirmed == 0


def test_names_that_somebody_writes_or_copies_are_worked_out_again() -> None:
    assert after(with_annotation(vm(disk("good"), disk("later")), "claim/good", "claim/other")) == {PREDICTED}


@pytest.mark.parametrize("kind", BUILDERS)
def test_validating_decides_nothing_where_a_name_is_lacking(kind: str) -> None:
    with pytest.raises(Undecidable, match=f"{UNVERIFIED} lacks {PREDICTED}"):
        validated(BUILDERS[kind](disk("later")))
    assert validated(with_annotation(BUILDERS[kind](disk("later")), PREDICTED))


@pytest.mark.parametrize("kind", OF_TEMPLATES)
def test_validating_decides_nothing_where_a_name_was_taken_away(kind: str) -> None:
    obj = BUILDERS[kind](disk("later"))
    with pytest.raises(Undecidable, match=PREDICTED):
        validated(obj, with_annotation(obj, PREDICTED), ONCE)


def test_where_nothing_is_denied_nothing_is_held_back_for_a_name() -> None:
    assert validated(vm(disk("later")), None, namespace(enforcement="warn"))


def test_a_vm_that_is_denied_is_denied_whatever_it_lacks() -> None:
    assert not validated(vm(disk("later"), disk("once")))


def test_offline_only_what_was_taken_away_is_missed() -> None:
    """Nobody need have asked for our patch there."""
    obj, cluster = vm(disk("later")), Snapshot((KUBEVIRT, *CLUSTER))
    response, _ = validate(request(obj), cluster, Settings(), 5.0)
    assert response.body["response"]["allowed"]
    with pytest.raises(Undecidable):
        validate(request(obj, with_annotation(obj, PREDICTED)), cluster, Settings(), 5.0)


def test_a_hot_plug_into_status_or_vmi_needs_no_mark_since_none_can_come_with_it() -> None:
    waiting = {"volumeRequests": [volume_request(disk("later"))]}
    assert validated(vm(status=waiting), vm(), user=APISERVER, subresource="status")
    assert validated(vmi(disk("later")), vmi(), user=APISERVER)


def test_a_write_of_the_annotation_is_reason_enough_to_evaluate_again() -> None:
    """So the leader has a name cleared whose PVC is there by now."""
    obj = with_annotation(vm(disk("later")), PREDICTED)
    assert after(with_annotation(obj, PREDICTED, "claim/other"), obj, SHARED) == frozenset()
    assert after(with_annotation(obj, PREDICTED, "claim/other"), obj) == {PREDICTED}


def test_a_start_leaves_the_annotation_alone() -> None:
    obj = with_annotation(vm(disk("later"), spec={"runStrategy": "Halted"}), PREDICTED)
    started = {**obj, "spec": {**obj["spec"], "runStrategy": "Always"}}
    assert after(started, obj, SHARED, user=APISERVER) == {PREDICTED}


def test_lifting_a_mark_changes_nothing_else_of_a_running_vm() -> None:
    obj, edited = (
        with_annotation(vm(disk("later"), status={"created": True}, **edit), PREDICTED) for edit in ({}, EDIT)
    )
    found = ask(edited, obj, SHARED, side=mutate)
    assert [operation["op"] for operation in found.patch] == ["remove", "remove"]


def test_what_makes_a_copy_gets_no_mark_itself() -> None:
    assert ask(clone("db"), None, vm(disk("later")), side=mutate).patch == []
