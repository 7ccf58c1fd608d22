"""What could not be evaluated yet is named in the annotation, until it is evaluated good."""

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
from tests.build_facts import instancetype, preference
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
from webhook.cluster import Snapshot, Undecidable
from webhook.kubevirt.unverified import unverified_names
from webhook.names import UNVERIFIED
from webhook.settings import Settings

BUILDERS: dict[str, Callable[..., Object]] = {"VM": vm, "VMI": vmi, "ReplicaSet": replica_set, "Pool": pool}
EVERY_KIND = pytest.mark.parametrize("make", BUILDERS.values(), ids=BUILDERS)
EVERY_TEMPLATE = pytest.mark.parametrize("make", [vm, replica_set, pool])
LATER = "claim/later"
EDIT: Object = {"architecture": "amd64"}
"""An update that is evaluated, and changes nothing that a rule denies."""
SHARED, ONCE, ON_SAN = claim("later", RWX), claim("later", RWO), claim("later", RWX, storage_class="san")
ON_NAS = {"storage": {"storageClassName": "nas", "accessModes": [RWX]}}
ONCE_ON_NAS = {"storage": {"storageClassName": "nas", "accessModes": [RWO]}}
NIC = {"name": "nic", "deviceName": "intel.com/nic"}
OWN_NIC = {"devices": {"hostDevices": [NIC]}}
LARGE, WIN = {"instancetype": {"name": "large"}}, {"preference": {"name": "win"}}
WITH_NIC, NO_LARGE = instancetype("large", hostDevices=[NIC]), "instancetype/large"
WAITING = with_annotation(vm(disk("later")), LATER)


def after(obj: Object, old: Object | None = None, *objects: Object, **how: Any) -> set[str]:
    """Return what the annotation of an object names after our patch."""
    found = ask(obj, old, *objects, side=mutate, **how)
    return {*unverified_names(jsonpatch.apply_patch(obj, found.patch))}


def validated(obj: Object, old: Object | None = None, *objects: Object, **how: Any) -> bool:
    """Return whether an object is admitted as it stands; raises Undecidable."""
    cluster = Rights((KUBEVIRT, *CLUSTER, *objects))
    response, _ = validate(request(obj, old, **how), cluster, Settings(), 5.0)
    admitted: bool = response.body["response"]["allowed"]
    return admitted


def edited(*volumes: Object, names: tuple[str, ...] = (LATER,), make: Callable[..., Object] = vm, **fields: Any) -> Any:
    """Return an annotated object after an edit, and before."""
    return tuple(with_annotation(make(*volumes, **fields, **edit), *names) for edit in (EDIT, {}))


def in_pool(spec: Object) -> Object:
    """Return a Pool with a DataVolume template of the name of a good PVC."""
    return pool(data_volume_disk("good"), spec={"dataVolumeTemplates": [data_volume_template("good", **spec)]})


@EVERY_KIND
def test_a_pvc_that_is_not_there_is_named_and_must_be(make: Callable[..., Object]) -> None:
    obj = make(disk("good"), disk("later"))
    assert after(obj) == {LATER}
    with pytest.raises(Undecidable, match=f"{UNVERIFIED} lacks {LATER}"):
        validated(obj)
    assert validated(with_annotation(obj, LATER))


CREATED: dict[str, tuple[Object, list[Object], set[str]]] = {
    "PVCs of DataVolume templates": (templated_vm("root", "data", spec=ON_NAS), [], {"claim/root", "claim/data"}),
    "a PVC of a DataVolume": (vm(disk("later")), [data_volume("later", **ON_NAS)], {LATER}),
    "a bad one of a Pool's template, whose number KubeVirt adds to the name": (in_pool(ON_NAS), [], {"claim/good"}),
    "an instancetype": (vm(spec=LARGE), [], {NO_LARGE}),
    "an instancetype's revision": (vm(spec={"instancetype": {"name": "x", "revisionName": "large"}}), [], {NO_LARGE}),
    "a preference": (vm(spec=WIN), [], {"preference/win"}),
    "a preference's revision": (vm(spec={"preference": {"name": "x", "revisionName": "win"}}), [], {"preference/win"}),
    "nothing where all is there": (vm(disk("good"), disk("good-block")), [], set()),
    "no PVC whose name no object can have": (vm(disk("not a name"), disk("later")), [], {LATER}),
    "no PVC that is predicted bad and exempt": (exempt(templated_vm("root", spec=ONCE_ON_NAS)), [], set()),
    "no name that its user writes": (with_annotation(WAITING, "claim/good", "claim/other"), [], {LATER}),
}


@pytest.mark.parametrize(("obj", "objects", "names"), CREATED.values(), ids=CREATED)
def test_what_a_creation_names(obj: Object, objects: list[Object], names: set[str]) -> None:
    assert after(obj, None, *objects) == names


EDITED, EDITED_SET, EDITED_POOL = (edited(disk("later"), make=make) for make in (vm, replica_set, pool))
WITH_LARGE = edited(names=(NO_LARGE,), spec=LARGE)
OWN_AND_WIN = edited(disk("good"), names=("preference/win",), spec=WIN, domain=OWN_NIC)
TEMPLATED = templated_vm("root", spec=ONCE_ON_NAS)
TEMPLATED_TOO = {**TEMPLATED, "spec": {**TEMPLATED["spec"], "preference": None}}
STARTED = {**WAITING, "spec": {**WAITING["spec"], "runStrategy": "Always"}}
WRITTEN = (with_annotation(WAITING, LATER, "claim/x"), WAITING)
PREDICTED, PREDICTED_BAD = data_volume("later", **ON_NAS), data_volume("later", **ONCE_ON_NAS)
UPDATED: dict[str, tuple[tuple[Object, Object], list[Object], set[str]]] = {
    "a VM's name goes when its PVC is good": (EDITED, [SHARED], set()),
    "a ReplicaSet's name goes when its PVC is good": (EDITED_SET, [SHARED], set()),
    "a Pool's name goes when its PVC is good": (EDITED_POOL, [SHARED], set()),
    "a VM's name stays when its PVC is bad": (EDITED, [ONCE], {LATER}),
    "a ReplicaSet's name stays when its PVC is bad": (EDITED_SET, [ON_SAN], {LATER}),
    "a Pool's name stays when its PVC is bad": (EDITED_POOL, [ONCE], {LATER}),
    "a name stays while its PVC is only predicted": (EDITED, [PREDICTED], {LATER}),
    "an exempt name stays while predicted": ((exempt(WAITING), exempt(WAITING)), [PREDICTED_BAD], {LATER}),
    "an exempt name goes when its PVC is bad": ((exempt(EDITED[0]), exempt(EDITED[1])), [ONCE], set()),
    "a name goes with its volume": ((with_annotation(vm(disk("good")), LATER), WAITING), [], set()),
    "an old VM's bad PVC is not named": (edited(disk("once"), names=()), [], set()),
    "an old VM's template is not named": ((TEMPLATED_TOO, TEMPLATED), [], set()),
    "an old VM's missing PVC is not named": (edited(disk("later"), names=()), [], set()),
    "one more missing PVC is named": ((vm(disk("later"), disk("more")), vm(disk("later"))), [], {"claim/more"}),
    "a preference goes beside the VM's own old device": (OWN_AND_WIN, [preference("win")], set()),
    "an instancetype stays while it adds a device": (WITH_LARGE, [WITH_NIC], {NO_LARGE}),
    "an instancetype goes when it adds none": (WITH_LARGE, [instancetype("large")], set()),
    "a write of the annotation alone is evaluated": (WRITTEN, [SHARED], set()),
    "a name that its user writes goes": (WRITTEN, [], {LATER}),
    "a start leaves the annotation alone": ((STARTED, WAITING), [SHARED], {LATER}),
}


@pytest.mark.parametrize(("change", "objects", "names"), UPDATED.values(), ids=UPDATED)
def test_what_an_update_names(change: tuple[Object, Object], objects: list[Object], names: set[str]) -> None:
    assert after(*change, *objects) == names


def test_what_was_requested_and_is_not_there_is_named_when_it_reaches_the_template() -> None:
    old = vm(status={"volumeRequests": [volume_request(disk("later"))]})
    assert after(vm(disk("later")), old, user=CONTROLLER) == {LATER}


def test_the_annotation_of_a_pool_is_patched_only_with_its_vms_template() -> None:
    """A Pool restarts the VMs that are not as its template."""
    old = with_annotation(pool(disk("later")), LATER)
    scaled = {**old, "spec": {**old["spec"], "replicas": 3}}
    labelled = tagged(old, "spec", "virtualMachineTemplate", labels={"x": "y"})
    assert [ask(new, old, SHARED, side=mutate).patch for new in (scaled, labelled)] == [[], []]


LARGE_VM = with_annotation(vm(disk("good"), spec=LARGE), NO_LARGE)
PRECEDENTS: dict[str, tuple[Object, Object | None, list[Object], list[str]]] = {
    "a Pool's template that is predicted bad": (in_pool(ONCE_ON_NAS), None, [], ["shared-access"]),
    "another PVC in place of an unverified one": (vm(disk("once", "later")), WAITING, [ONCE], ["shared-access"]),
    "the unverified PVC itself": (*EDITED, [ONCE], []),
    "one's own device in place of an unverified instancetype's": (
        vm(disk("good"), domain=OWN_NIC),
        LARGE_VM,
        [WITH_NIC],
        ["host-devices"],
    ),
    "one's own old device beside an unverified preference": (*OWN_AND_WIN, [preference("win")], []),
}


@pytest.mark.parametrize(("obj", "old", "objects", "rules"), PRECEDENTS.values(), ids=PRECEDENTS)
def test_what_is_unverified_makes_only_itself_preexisting(
    obj: Object, old: Object | None, objects: list[Object], rules: list[str]
) -> None:
    assert ask(obj, old, *objects).rules == rules


@EVERY_TEMPLATE
def test_a_name_that_its_user_removes_is_reverted(make: Callable[..., Object]) -> None:
    obj, before = make(disk("later")), with_annotation(make(disk("later")), LATER)
    assert [after(obj, before, *objects) for objects in ([], [ONCE])] == [{LATER}, {LATER}]
    with pytest.raises(Undecidable, match=LATER):
        validated(obj, before, ONCE)


STALE = pytest.mark.parametrize("cached", [[], [ONCE], [ON_SAN]], ids=["absent", "ReadWriteOnce", "SAN Filesystem"])


@STALE
@pytest.mark.parametrize("make", [vm, replica_set])
def test_a_stale_replica_does_not_revert_the_name_that_the_leader_removed(
    make: Callable[..., Object], cached: list[Object]
) -> None:
    cleared = make(disk("later"), evictionStrategy="LiveMigrate")
    change, cluster = request(cleared, with_annotation(cleared, LATER)), Lagging(cached, [SHARED])
    _, verdict = mutate(change, cluster, Settings(), 5.0)
    assert verdict is not None
    assert verdict.patch == []
    assert validate(change, cluster, Settings(), 5.0)[0].body["response"]["allowed"]
    assert cluster.confirmed == 2


@pytest.mark.parametrize("live", [[], [ONCE]], ids=["absent", "bad"])
@STALE
def test_a_name_that_somebody_removes_is_reverted_where_the_api_server_confirms_it(
    cached: list[Object], live: list[Object]
) -> None:
    obj = vm(disk("later"), disk("other"))
    taken = with_annotation(obj, "claim/other")
    change = request(taken, with_annotation(obj, LATER, "claim/other"))
    _, verdict = mutate(change, Lagging(cached, live), Settings(), 5.0)
    assert verdict is not None
    assert unverified_names(jsonpatch.apply_patch(taken, verdict.patch)) == {LATER, "claim/other"}


def test_a_name_that_stays_and_a_new_one_cost_no_live_get() -> None:
    cluster, more = Lagging([], []), with_annotation(vm(disk("later"), disk("more")), LATER)
    for change in (request(tagged(vm(disk("later")), labels={"a": "b"})), request(more, WAITING)):
        mutate(change, cluster, Settings(), 5.0)
    assert cluster.confirmed == 0


def test_a_missing_name_holds_nothing_back_where_it_cannot_matter() -> None:
    """Where nothing is denied or all is; and on a hot-plug, with which no annotation can come."""
    requested = vm(status={"volumeRequests": [volume_request(disk("later"))]})
    assert validated(vm(disk("later")), None, namespace(enforcement="warn"))
    assert not validated(vm(disk("later"), disk("once")))
    assert validated(requested, vm(), user=APISERVER, subresource="status")
    assert validated(vmi(disk("later")), vmi(), user=APISERVER)


def test_offline_only_a_name_that_was_removed_is_missed() -> None:
    """Nobody need have asked for our patch there."""
    obj, cluster = vm(disk("later")), Snapshot((KUBEVIRT, *CLUSTER))
    assert validate(request(obj), cluster, Settings(), 5.0)[0].body["response"]["allowed"]
    with pytest.raises(Undecidable):
        validate(request(obj, WAITING), cluster, Settings(), 5.0)


def test_removing_a_name_changes_nothing_else_of_a_running_vm() -> None:
    found = ask(*edited(disk("later"), status={"created": True}), SHARED, side=mutate)
    assert [operation["op"] for operation in found.patch] == ["remove", "remove"]


def test_a_clone_gets_no_annotation_itself() -> None:
    assert ask(clone("db"), None, vm(disk("later")), side=mutate).patch == []
