"""Who may exempt: a user who sets or changes one of our labels needs the right."""

from typing import Any

import pytest

from tests.build import CLUSTER, Object, disk, vm, vmi
from tests.build_paths import (
    ALICE,
    APISERVER,
    CONTROLLER,
    KUBEVIRT,
    REASON,
    Rights,
    ask,
    exempt,
    namespace,
    pool,
    replica_set,
    request,
    tagged,
)
from webhook.admission.handler import mutate, validate
from webhook.cluster import Undecidable
from webhook.cluster.interface import Right
from webhook.settings import Settings

OF_VMS = Right("exempt", "kubevirt.io", "virtualmachines", "vms", "")
OF_NAMESPACES = Right("exempt", "", "namespaces", "", "vms")
VM, VMI, SET, POOL = (make(disk("good")) for make in (vm, vmi, replica_set, pool))
PLAIN = namespace()
VMS = {obj["kind"]: obj for obj in (VM, VMI, SET, POOL)}
EVERY_KIND = pytest.mark.parametrize("obj", [*VMS.values(), PLAIN], ids=[*VMS, "Namespace"])
KUBEVIRTS = pytest.mark.parametrize("user", [CONTROLLER, APISERVER])
BOTH = ["exemption", "exemption"]
"""The rule for the label and for the reason beside it."""
PLACES: dict[str, tuple[Object, tuple[str, ...]]] = {
    **{kind: (obj, ()) for kind, obj in VMS.items()},
    "VirtualMachine's template": (VM, ("spec", "template")),
    "ReplicaSet's template": (SET, ("spec", "template")),
    "Pool's VM": (POOL, ("spec", "virtualMachineTemplate")),
    "Pool's VMI": (POOL, ("spec", "virtualMachineTemplate", "spec", "template")),
    "Namespace": (PLAIN, ()),
}


def going(obj: Object) -> Object:
    """Return an object that says that it is being deleted."""
    return {**obj, "metadata": {**obj["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}


@pytest.mark.parametrize(("obj", "path"), PLACES.values(), ids=PLACES)
def test_an_exemption_needs_the_right_in_the_namespace(obj: Object, path: tuple[str, ...]) -> None:
    field, right = ".".join((*path, "metadata")), OF_NAMESPACES if obj is PLAIN else OF_VMS
    for old in (None, obj):
        found = ask(exempt(obj, *path), old)
        assert (found.allowed, found.rules) == (False, BOTH)
        assert found.fields == [f"{field}.labels", f"{field}.annotations"]
        assert '"alice" may not set, change or remove "exempt.migratability.io/all"' in found.message
        of_whom = ask(exempt(obj, *path), old, may=[ALICE])
        assert (of_whom.allowed, set(of_whom.asked)) == (True, {(ALICE, right)})


CHANGES: dict[str, tuple[Object, Object, bool]] = {
    "extended": (exempt(VM, value="2027-01-01"), exempt(VM, value="2027-02-01"), True),
    "shortened": (exempt(VM, value="2027-02-01"), exempt(VM, value="2027-01-01"), True),
    "another rule more": (exempt(VM), exempt(exempt(VM), rule="host-disk"), True),
    "another reason": (exempt(VM), tagged(exempt(VM), annotations={"migratability.io/exempt-reason": "x"}), True),
    "a reason alone": (VM, tagged(VM, annotations=REASON), True),
    "moved into the template": (exempt(VM), exempt(VM, "spec", "template"), True),
    "removed": (exempt(VM), VM, False),
    "the reason removed": (exempt(VM), exempt(VM, reason={}), False),
    "left as it was": (exempt(VM), tagged(exempt(VM), labels={"x": "y"}), False),
    "another change": (VM, vm(disk("good"), architecture="amd64"), False),
    "a label that only looks like ours": (VM, tagged(VM, labels={"migratability.io/exempt": "true"}), False),
    "a label as an annotation": (VM, tagged(VM, annotations={"exempt.migratability.io/all": "true"}), False),
    "enforcement changes": (namespace(enforcement="deny"), namespace(enforcement="warn"), True),
    "enforcement stays": (namespace(enforcement="warn"), namespace(enforcement="warn"), False),
    "a namespace's exemption is removed": (namespace("x", all="true"), namespace("x"), False),
    "a namespace's reason is set": (PLAIN, namespace("x"), True),
}


@pytest.mark.parametrize(("old", "new", "needed"), CHANGES.values(), ids=CHANGES)
def test_which_changes_need_the_right(old: Object, new: Object, needed: bool) -> None:
    found = ask(new, old)
    assert (set(found.rules), found.users_asked) == (({"exemption"}, {ALICE}) if needed else (set(), set()))


@pytest.mark.parametrize("subresource", ["", "status", "finalize"])
def test_a_namespaces_labels_need_the_right_by_whatever_subresource(subresource: str) -> None:
    before, off = going(namespace(enforcement="off")), namespace(enforcement="off")
    assert ask(off, PLAIN, subresource=subresource).rules == ["exemption"]
    removed = ask(PLAIN, off, subresource=subresource)
    assert (removed.rules, removed.fields) == (["exemption"], ["metadata.labels"])
    assert '"migratability.io/enforcement"' in removed.message
    assert ask(going(off), going(PLAIN), subresource=subresource).rules == ["exemption"]
    finalized = ask({**before, "spec": {"finalizers": []}}, before, subresource=subresource)
    assert (finalized.allowed, finalized.asked) == (True, [])


@KUBEVIRTS
@pytest.mark.parametrize("kind", [kind for kind in VMS if kind != "VirtualMachineInstance"])
def test_kubevirts_own_accounts_are_never_asked_about_and_add_no_label(kind: str, user: str) -> None:
    """They hold every right and do what users ask for, so their right says nothing."""
    found = ask(exempt(VMS[kind]), VMS[kind], user=user, may=[user])
    assert (found.rules, found.asked) == (BOTH, [])
    assert '"exempt.migratability.io/all" would be set on a VM that KubeVirt creates' in found.message


def test_an_account_that_only_looks_like_kubevirts_is_asked_about() -> None:
    user = "system:serviceaccount:vms:kubevirt-controller"
    assert ask(exempt(VM), user=user).users_asked == {user}


def test_an_excluded_user_is_denied_unasked_and_may_apply_again_what_is_there() -> None:
    settings = {"exemptions": {"excludedUsers": ["argocd"]}}
    found = ask(exempt(VM), user="argocd", may=["argocd"], settings=settings)
    assert (found.allowed, found.asked) == (False, [])
    assert ask(exempt(VM), exempt(VM), user="argocd", settings=settings).allowed


@pytest.mark.parametrize(("mode", "warned"), [("warn", True), ("off", False)])
def test_the_global_mode_caps_the_rule(mode: str, warned: bool) -> None:
    for user in (ALICE, CONTROLLER):
        found = ask(exempt(VM), user=user, settings={"mode": mode})
        assert (found.allowed, any("[exemption]" in line for line in found.warnings)) == (True, warned)


@pytest.mark.parametrize("level", ["warn", "off"])
def test_a_namespaces_own_label_does_not_cap_the_rule(level: str) -> None:
    """Else anyone who may set it for a day could plant exemptions for ever."""
    assert ask(exempt(VM), None, namespace(enforcement=level)).rules == BOTH


def test_the_mutating_side_asks_nobody() -> None:
    found = ask(exempt(vm(disk("once"))), side=mutate)
    assert (found.asked, found.patch) == ([], [])


@EVERY_KIND
def test_a_label_needs_the_right_whether_or_not_the_object_is_being_deleted(obj: Object) -> None:
    """KubeVirt may still create a VM for it, and reads its labels; a user may only claim that it is being deleted."""
    for old in (going(obj), obj, None):
        assert ask(going(exempt(obj)), old).rules == BOTH
    found = ask(going(exempt(obj)), going(tagged(exempt(obj), labels={"x": "y"})))
    assert (found.allowed, found.asked) == (True, [])


class Silent(Rights):
    """A cluster in which nobody can be asked for the right."""

    def may(self, user: Any, right: Right) -> bool:
        raise Undecidable("no answer")


@pytest.mark.parametrize("obj", [exempt(VM), namespace(enforcement="off")], ids=["VM", "Namespace"])
def test_where_nobody_can_be_asked_nothing_is_decided(obj: Object) -> None:
    with pytest.raises(Undecidable):
        validate(request(obj), Silent((KUBEVIRT, *CLUSTER)), Settings(), 5.0)


MISSPELT: dict[str, tuple[Object, Object, str]] = {
    "a rule": (VM, {"exempt.migratability.io/shared-acces": "true"}, "there is no such rule"),
    "a rule on a namespace": (PLAIN, {"exempt.migratability.io/x": "true"}, "there is no such rule"),
    "a rule that nothing exempts from": (VM, {"exempt.migratability.io/restore-patches": "true"}, "no label exempts"),
    "a mode": (PLAIN, {"migratability.io/enforcement": "dney"}, "the value must be one of deny, warn and off"),
}


@pytest.mark.parametrize(("obj", "labels", "why"), MISSPELT.values(), ids=MISSPELT)
def test_a_misspelt_label_draws_a_warning_that_it_does_nothing(obj: Object, labels: Object, why: str) -> None:
    labelled, (key,) = tagged(obj, labels=labels, annotations=REASON), labels
    (line,) = [line for line in ask(labelled, may=(ALICE,)).warnings if line.endswith("[exemption]")]
    assert (f"does nothing: {why}" in line, key in line) == (True, True)
    assert ask(labelled, labelled, may=(ALICE,)).warnings == []


def test_a_label_that_is_spelt_right_and_the_removal_of_a_misspelt_one_draw_no_warning() -> None:
    exempt_vm = exempt(vm(disk("good"), evictionStrategy="LiveMigrate"), rule="shared-access")
    misspelt = tagged(PLAIN, labels={"migratability.io/enforcement": "dney"})
    right = namespace("a reason", all="true", enforcement="warn")
    answers = [ask(*objects, may=(ALICE,)) for objects in ((right,), (exempt_vm,), (PLAIN, misspelt))]
    assert [(found.allowed, found.warnings) for found in answers] == [(True, [])] * 3
