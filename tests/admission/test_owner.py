"""What KubeVirt makes for an owner was evaluated with the owner; anyone who only PVCs an owner is evaluated himself."""

from typing import Any

import pytest

from tests.build import CLAIMS, CLASSES, RWO, Object, claim, disk, vm, vmi, volume_request
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
from webhook.admission.handler import mutate, validate
from webhook.admission.requester import read_requester
from webhook.settings import Settings

DB = known_as(vm(disk("once")))
GOOD_DB = known_as(vm(disk("good")))
INSTANCE = owned(vmi(disk("once")), DB)
POOL, SET = pool(disk("once")), replica_set(disk("once"))
TOO = claim("once-too", RWO)


def without_name(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "name"}
    return {**obj, "metadata": {**metadata, "generateName": "web"}}


def test_an_vmi_that_kubevirt_starts_for_its_vm_is_not_evaluated() -> None:
    found = ask(INSTANCE, None, DB, user=CONTROLLER)
    assert (found.allowed, found.violations, found.warnings) == (True, [], [])


def test_an_vmi_that_kubevirt_makes_for_a_replica_set_is_not_evaluated() -> None:
    made = without_name(owned(vmi(disk("once")), SET))
    assert ask(made, None, SET, user=CONTROLLER).allowed


def test_an_vmi_starts_although_its_vm_has_changed_since() -> None:
    assert ask(INSTANCE, None, GOOD_DB, user=CONTROLLER).allowed


def test_an_vmi_starts_although_its_vm_is_not_seen() -> None:
    """Neither a cache that lags nor a deletion may hold up KubeVirt."""
    assert ask(INSTANCE, None, user=CONTROLLER).allowed


NOT_OWNED: list[tuple[str, Object, list[Object], str]] = [
    ("another user", INSTANCE, [DB], ALICE),
    ("KubeVirt's API", INSTANCE, [DB], APISERVER),
    ("an account of the same name elsewhere", INSTANCE, [DB], "system:serviceaccount:vms:kubevirt-controller"),
    ("an account with a longer name", INSTANCE, [DB], f"{CONTROLLER}-2"),
    ("no owner", vmi(disk("once")), [DB], CONTROLLER),
    ("a uid that nobody has", owned(vmi(disk("once")), DB, uid=OTHER_UID), [DB], CONTROLLER),
    ("no uid", owned(vmi(disk("once")), DB, uid=""), [vm(disk("once"))], CONTROLLER),
    ("an owner of the same name and another uid", INSTANCE, [known_as(DB, OTHER_UID)], CONTROLLER),
    ("an owner that is no controller", owned(vmi(disk("once")), DB, controller=False), [DB], CONTROLLER),
    ("a controller that is only so called", owned(vmi(disk("once")), DB, controller="true"), [DB], CONTROLLER),
    ("another VM", owned(vmi(disk("once"), name="other"), DB), [DB], CONTROLLER),
    ("an owner of another kind", owned(vmi(disk("once")), DB, kind="Deployment"), [DB], CONTROLLER),
    (
        "an owner of a kind that has not this name",
        owned(vmi(disk("once")), SET, kind="VirtualMachinePool"),
        [SET],
        CONTROLLER,
    ),
]


@pytest.mark.parametrize(("made", "objects", "user"), [row[1:] for row in NOT_OWNED], ids=[row[0] for row in NOT_OWNED])
def test_what_has_no_live_owner_for_whom_kubevirt_acts_is_evaluated_whole(
    made: Object, objects: list[Object], user: str
) -> None:
    found = ask(made, None, *objects, user=user)
    assert (found.allowed, found.rules) == (False, ["shared-access"])
    assert found.fields == ["spec.volumes[0].persistentVolumeClaim.claimName"]


def test_the_setting_says_where_kubevirt_is() -> None:
    settings = {"kubevirt": {"namespace": "openshift-cnv"}}
    elsewhere = "system:serviceaccount:openshift-cnv:kubevirt-controller"
    cnv = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kv", "namespace": "openshift-cnv"}}
    answers = [ask(INSTANCE, None, DB, cnv, user=user, settings=settings) for user in (elsewhere, CONTROLLER)]
    assert [found.allowed for found in answers] == [True, False]


def test_where_no_namespace_is_set_the_one_kubevirt_says_where_it_is() -> None:
    """Else anyone who may make the namespace of the default's name could pass for KubeVirt."""
    elsewhere = "system:serviceaccount:openshift-cnv:kubevirt-controller"
    cnv = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kv", "namespace": "openshift-cnv"}}
    cluster = Rights((cnv, *CLASSES, *CLAIMS, DB))
    answers = [validate(request(INSTANCE, user=user), cluster, Settings(), 5.0)[0] for user in (elsewhere, CONTROLLER)]
    assert [answer.body["response"]["allowed"] for answer in answers] == [True, False]


@pytest.mark.parametrize("account", ["kubevirt-apiserver", "kubevirt-1"])
def test_no_account_is_kubevirts_because_its_namespace_is_called_auto(account: str) -> None:
    change = read_change(request(exempt(INSTANCE), user=f"system:serviceaccount:auto:{account}"))
    assert change is not None
    assert not read_requester(change, Rights(()), Settings()).is_kubevirt


def test_a_vm_of_a_pool_may_violate_what_the_pool_does() -> None:
    found = ask(owned(vm(disk("once"), name="pool-0"), POOL), None, POOL, user=CONTROLLER)
    assert found.allowed
    assert [violation.preexisting for violation in found.violations] == [True]


def test_a_vm_of_a_pool_may_violate_no_more_than_the_pool_does() -> None:
    made = owned(vm(disk("once"), disk("once-too"), name="pool-0"), POOL)
    found = ask(made, None, POOL, TOO, user=CONTROLLER)
    assert (found.allowed, found.rules, len(found.fields)) == (False, ["shared-access"], 1)
    assert "volumes[1]" in found.fields[0]


@pytest.mark.parametrize("user", [ALICE, APISERVER])
def test_only_kubevirt_makes_vms_for_a_pool(user: str) -> None:
    assert not ask(owned(vm(disk("once"), name="pool-0"), POOL), None, POOL, user=user).allowed


def update(before: Object, after: Object, *objects: Object, user: str = CONTROLLER, **how: Any) -> Answer:
    return ask(after, before, TOO, *objects, user=user, **how)


def test_an_vmi_may_get_what_its_vms_template_holds() -> None:
    assert update(owned(vmi(disk("good")), DB), owned(vmi(disk("good"), disk("once")), DB), DB).allowed


def test_an_vmi_may_get_what_its_vm_was_asked_to_add() -> None:
    asked = known_as(vm(disk("good"), status={"volumeRequests": [volume_request(disk("once"))]}))
    found = update(owned(vmi(disk("good")), DB), owned(vmi(disk("good"), disk("once")), DB), asked, user=APISERVER)
    assert found.allowed


@pytest.mark.parametrize("user", [CONTROLLER, APISERVER])
def test_an_vmi_may_get_nothing_bad_that_its_vm_does_not_hold(user: str) -> None:
    after = owned(vmi(disk("good"), disk("once-too")), DB)
    found = update(owned(vmi(disk("good")), DB), after, DB, user=user)
    assert (found.rules, found.fields) == (["shared-access"], ["spec.volumes[1].persistentVolumeClaim.claimName"])


def test_of_an_update_by_a_user_the_owner_excuses_nothing() -> None:
    assert not update(owned(vmi(disk("good")), DB), owned(vmi(disk("good"), disk("once")), DB), DB, user=ALICE).allowed


def test_on_an_update_the_old_objects_owner_counts() -> None:
    """Else a write that brings an owner would bring its excuses with it."""
    before, after = vmi(disk("good")), owned(vmi(disk("good"), disk("once")), DB)
    assert not update(before, after, DB).allowed


@pytest.mark.parametrize(("source", "allowed"), [("owner", True), ("instance", False), ("template", False)])
def test_an_owned_vmis_exemptions_are_its_owners(source: str, allowed: bool) -> None:
    owner, before, after = GOOD_DB, owned(vmi(disk("good")), DB), owned(vmi(disk("good"), disk("once-too")), DB)
    if source == "owner":
        owner = exempt(owner)
    if source == "template":
        owner = exempt(owner, "spec", "template")
    if source != "owner":
        before, after = exempt(before), exempt(after)
    assert update(before, after, owner).allowed is allowed


@pytest.mark.parametrize(("source", "allowed"), [("pool", True), ("machine", False), ("nobody", False)])
def test_a_pools_vms_exemptions_are_the_pools(source: str, allowed: bool) -> None:
    made, owner = owned(vm(disk("once"), name="pool-0"), POOL), pool(disk("good"))
    owner = exempt(owner) if source == "pool" else owner
    made = exempt(made) if source == "machine" else made
    assert ask(made, None, owner, user=CONTROLLER).allowed is allowed


def test_what_kubevirt_writes_into_a_vm_that_nobody_owns_brings_no_exemption() -> None:
    """A label in a write of KubeVirt's counts where it was before."""
    before, after = vm(disk("good")), vm(disk("good"), disk("once"))
    assert [
        update(before, exempt(after), user=APISERVER).allowed,
        update(exempt(before), exempt(after), user=APISERVER).allowed,
        update(exempt(before), after, user=APISERVER).allowed,
    ] == [False, True, True]


def strategy(obj: Object, *objects: Object) -> str | None:
    found = ask(obj, None, *objects, user=CONTROLLER, side=mutate)
    return found.patch[0]["value"] if found.patch else None


def test_the_vmi_of_a_vm_from_before_gets_live_migrate() -> None:
    assert strategy(owned(vmi(disk("good")), GOOD_DB), GOOD_DB) == "LiveMigrate"


@pytest.mark.parametrize("owner", [DB, exempt(DB)], ids=["an old violator", "exempt"])
def test_an_vmi_that_cannot_migrate_starts_without_live_migrate(owner: Object) -> None:
    assert strategy(INSTANCE, owner) is None


def test_the_vmi_of_a_replica_set_gets_live_migrate() -> None:
    made = replica_set(disk("good"))
    assert strategy(without_name(owned(vmi(disk("good")), made)), made) == "LiveMigrate"


@pytest.mark.parametrize(("going", "let_go"), [("before", True), ("now", False)])
def test_only_what_was_being_deleted_before_is_let_go(going: str, let_go: bool) -> None:
    """Anyone who restores an object can write that it is being deleted; the API server then takes it away again."""
    before, after = tagged(vm(disk("good")), labels={"x": "y"}), vm(disk("once"))
    for obj in (before, after) if going == "before" else (after,):
        obj["metadata"] = {**obj["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert update(before, after, user=ALICE).allowed is let_go
