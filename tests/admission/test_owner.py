"""What KubeVirt creates for an owner was evaluated with the owner; what only claims an owner is evaluated itself."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.build import CLAIMS, CLASSES, RWO, Object, claim, disk, kubevirt, vm, vmi, volume_request
from tests.build_paths import (
    ALICE,
    APISERVER,
    CONTROLLER,
    OTHER_UID,
    Answer,
    Rights,
    ask,
    exempt,
    known_as,
    owned,
    pool,
    replica_set,
    request,
    tagged,
)
from webhook.admission.change import read_change
from webhook.admission.handler import validate
from webhook.admission.requester import read_requester
from webhook.settings import Settings

DB, GOOD_DB = known_as(vm(disk("once"))), known_as(vm(disk("good")))
INSTANCE, GOOD_INSTANCE = owned(vmi(disk("once")), DB), owned(vmi(disk("good")), DB)
POOL, SET = pool(disk("once")), replica_set(disk("once"))
NUMBERED = owned(vm(disk("once"), name="pool-0"), POOL)
TOO = claim("once-too", RWO)
MORE, MORE_TOO = (owned(vmi(disk("good"), disk(name)), DB) for name in ("once", "once-too"))


def without_name(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "name"}
    return {**obj, "metadata": {**metadata, "generateName": "web"}}


NOT_EVALUATED: dict[str, tuple[Object, list[Object]]] = {
    "for its VM": (INSTANCE, [DB]),
    "for its ReplicaSet": (owned(vmi(disk("once"), name="web7k2fw"), SET), [SET]),
    "for its ReplicaSet, by the template's name": (owned(vmi(disk("once"), name="named-otherwise"), SET), [SET]),
    "for its ReplicaSet, without a name yet": (without_name(owned(vmi(disk("once")), SET)), [SET]),
    "for its VM that has changed since": (INSTANCE, [GOOD_DB]),
    "for a VM that the cache does not hold": (INSTANCE, []),
}


@pytest.mark.parametrize(("made", "objects"), NOT_EVALUATED.values(), ids=NOT_EVALUATED)
def test_a_vmi_that_kubevirt_creates_is_not_evaluated(made: Object, objects: list[Object]) -> None:
    found = ask(made, None, *objects, user=CONTROLLER)
    assert (found.allowed, found.violations, found.warnings) == (True, [], [])


def claiming(owner: Object = DB, **reference: Any) -> Object:
    return owned(vmi(disk("once")), owner, **reference)


def made(owner: Callable[..., Object], make: Callable[..., Object], name: str) -> tuple[Object, list[Object], str]:
    """Return what kubevirt-controller creates under a name for an exempt owner of a kind."""
    source = exempt(known_as(owner(disk("once"))))
    return owned(make(disk("once"), name=name), source), [source], CONTROLLER


NOT_OWNED: dict[str, tuple[Object, list[Object], str]] = {
    "another user": (INSTANCE, [DB], ALICE),
    "KubeVirt's API": (INSTANCE, [DB], APISERVER),
    "an account of the same name elsewhere": (INSTANCE, [DB], "system:serviceaccount:vms:kubevirt-controller"),
    "an account with a longer name": (INSTANCE, [DB], f"{CONTROLLER}-2"),
    "no owner": (vmi(disk("once")), [DB], CONTROLLER),
    "a uid that nobody has": (claiming(uid=OTHER_UID), [DB], CONTROLLER),
    "no uid": (claiming(uid=""), [vm(disk("once"))], CONTROLLER),
    "a ReplicaSet without a uid that the cache does not hold": (claiming(SET, uid=""), [], CONTROLLER),
    "a ReplicaSet without a name": (claiming(SET, name=""), [SET], CONTROLLER),
    "an owner of the same name and another uid": (INSTANCE, [known_as(DB, OTHER_UID)], CONTROLLER),
    "an owner that is no controller": (claiming(controller=False), [DB], CONTROLLER),
    "a controller that is only so called": (claiming(controller="true"), [DB], CONTROLLER),
    "an owner of another kind": (claiming(kind="Deployment"), [DB], CONTROLLER),
    "an owner of no kind": (claiming(kind=""), [DB], CONTROLLER),
    "a kind that has no owner of this name": (claiming(SET, kind="VirtualMachinePool"), [SET], CONTROLLER),
    "a VMI named other than its VirtualMachine": made(vm, vmi, "other"),
    "a VM that a Pool does not number": made(pool, vm, "pool-x"),
    "a VM that a Pool numbers twice": made(pool, vm, "pool-1-1"),
    "a VM with the Pool's name": made(pool, vm, "pool"),
    "a VMI of a Pool": made(pool, vmi, "pool-0"),
    "a VM of a VirtualMachine": made(vm, vm, "db"),
    "a VM of a ReplicaSet": made(replica_set, vm, "web7k2fw"),
    "a Pool's VM by another user": (NUMBERED, [POOL], ALICE),
    "a Pool's VM by KubeVirt's API": (NUMBERED, [POOL], APISERVER),
}


@pytest.mark.parametrize(("obj", "objects", "user"), NOT_OWNED.values(), ids=NOT_OWNED)
def test_what_kubevirt_does_not_create_for_a_live_owner_is_evaluated_whole(
    obj: Object, objects: list[Object], user: str
) -> None:
    """Anybody can write an ownerReference, and so can the patches of a restore."""
    found = ask(obj, None, *objects, user=user)
    assert (found.allowed, found.rules) == (False, ["shared-access"])
    assert found.fields[0].endswith("spec.volumes[0].persistentVolumeClaim.claimName")


@pytest.mark.parametrize(
    ("settings", "of_cr"),
    [({"kubevirt": {"namespace": "cnv"}}, "kubevirt"), ({}, "cnv")],
    ids=["setting", "KubeVirt CR"],
)
def test_kubevirts_namespace_is_that_of_the_setting_else_of_its_cr(settings: Object, of_cr: str) -> None:
    """Else anyone who may create the namespace of the default's name could pass for KubeVirt."""
    cluster = Rights((kubevirt(of_cr), *CLASSES, *CLAIMS, DB))
    for user, allowed in ((CONTROLLER.replace(":kubevirt:", ":cnv:"), True), (CONTROLLER, False)):
        response, _ = validate(request(INSTANCE, user=user), cluster, Settings.parse(settings), 5.0)
        assert response.body["response"]["allowed"] is allowed


@pytest.mark.parametrize("account", ["kubevirt-apiserver", "kubevirt-1"])
def test_no_account_is_kubevirts_because_its_namespace_is_called_auto(account: str) -> None:
    change = read_change(request(exempt(INSTANCE), user=f"system:serviceaccount:auto:{account}"))
    assert change is not None
    assert not read_requester(change, Rights(()), Settings()).is_kubevirt


def test_a_vm_of_a_pool_may_violate_what_the_pool_does_and_no_more() -> None:
    found = ask(NUMBERED, None, POOL, user=CONTROLLER)
    assert (found.allowed, [violation.preexisting for violation in found.violations]) == (True, [True])
    more = owned(vm(disk("once"), disk("once-too"), name="pool-0"), POOL)
    found = ask(more, None, POOL, TOO, user=CONTROLLER)
    assert (found.allowed, found.rules, "volumes[1]" in found.fields[0]) == (False, ["shared-access"], True)


def update(before: Object, after: Object, *objects: Object, user: str = CONTROLLER) -> Answer:
    return ask(after, before, TOO, *objects, user=user)


ASKED = known_as(vm(disk("good"), status={"volumeRequests": [volume_request(disk("once"))]}))
TEMPLATE_EXEMPT = exempt(GOOD_DB, "spec", "template")
GOOD_VM, BAD_VM = vm(disk("good")), vm(disk("good"), disk("once"))
UPDATES: dict[str, tuple[Object, Object, list[Object], str, bool]] = {
    "a VMI gets what its VM's template holds": (GOOD_INSTANCE, MORE, [DB], CONTROLLER, True),
    "a VMI gets what its VM was asked to add": (GOOD_INSTANCE, MORE, [ASKED], APISERVER, True),
    "a VMI gets what its VM does not hold": (GOOD_INSTANCE, MORE_TOO, [DB], CONTROLLER, False),
    "a hot-plug of what its VM does not hold": (GOOD_INSTANCE, MORE_TOO, [DB], APISERVER, False),
    "a user's update of a VMI": (GOOD_INSTANCE, MORE, [DB], ALICE, False),
    "an update that adds the owner": (vmi(disk("good")), MORE, [DB], CONTROLLER, False),
    "the owner is exempt": (GOOD_INSTANCE, MORE_TOO, [exempt(GOOD_DB)], CONTROLLER, True),
    "the VMI is exempt": (exempt(GOOD_INSTANCE), exempt(MORE_TOO), [GOOD_DB], CONTROLLER, False),
    "the VM's template is exempt": (exempt(GOOD_INSTANCE), exempt(MORE_TOO), [TEMPLATE_EXEMPT], CONTROLLER, False),
    "KubeVirt adds the label to a VM": (GOOD_VM, exempt(BAD_VM), [], APISERVER, False),
    "the VM has the label": (exempt(GOOD_VM), exempt(BAD_VM), [], APISERVER, True),
    "KubeVirt removes the label from a VM": (exempt(GOOD_VM), BAD_VM, [], APISERVER, True),
}


@pytest.mark.parametrize(("before", "after", "objects", "user", "allowed"), UPDATES.values(), ids=UPDATES)
def test_which_updates_the_owner_or_the_old_object_excuses(
    before: Object, after: Object, objects: list[Object], user: str, allowed: bool
) -> None:
    """An update's owner is that of the old object: a write that adds an owner must not excuse itself."""
    found = update(before, after, *objects, user=user)
    assert found.allowed is allowed
    assert not [field for field in found.fields if "volumes[0]" in field]


@pytest.mark.parametrize(("source", "allowed"), [("pool", True), ("VM", False), ("neither", False)])
def test_the_vm_of_a_pool_is_exempt_by_the_pool(source: str, allowed: bool) -> None:
    owner, obj = pool(disk("good")), exempt(NUMBERED) if source == "VM" else NUMBERED
    assert ask(obj, None, exempt(owner) if source == "pool" else owner, user=CONTROLLER).allowed is allowed


@pytest.mark.parametrize(("going", "let_go"), [("before", True), ("now", False)])
def test_only_what_was_being_deleted_before_is_let_go(going: str, let_go: bool) -> None:
    """Anyone who restores an object can write that it is being deleted; the API server then removes that again."""
    before, after = tagged(vm(disk("good")), labels={"x": "y"}), vm(disk("once"))
    for obj in (before, after) if going == "before" else (after,):
        obj["metadata"] = {**obj["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert update(before, after, user=ALICE).allowed is let_go
