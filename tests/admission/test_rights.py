"""Who may exempt: the right is asked of the request's user wherever a label of ours comes or changes."""

import pytest

from tests.build import CLUSTER, Object, disk, vm, vmi
from tests.build_paths import (
    ALICE,
    APISERVER,
    CONTROLLER,
    KUBEVIRT,
    REASON,
    Answer,
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
from webhook.objects import Object as Anything
from webhook.settings import Settings

OF_VMS = Right("exempt", "kubevirt.io", "virtualmachines", "vms", "")
OF_NAMESPACES = Right("exempt", "", "namespaces", "", "vms")
VM, VMI, SET, POOL = (make(disk("good")) for make in (vm, vmi, replica_set, pool))
PLAIN = namespace()
VMS = {obj["kind"]: obj for obj in (VM, VMI, SET, POOL)}
PLACES: list[tuple[str, Object, tuple[str, ...]]] = [
    *((kind, obj, ()) for kind, obj in VMS.items()),
    ("VirtualMachine's template", VM, ("spec", "template")),
    ("ReplicaSet's template", SET, ("spec", "template")),
    ("Pool's VM", POOL, ("spec", "virtualMachineTemplate")),
    ("Pool's VMI", POOL, ("spec", "virtualMachineTemplate", "spec", "template")),
    ("Namespace", PLAIN, ()),
]
EVERYWHERE = pytest.mark.parametrize(("obj", "path"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES])


def going(obj: Object) -> Object:
    """Return an object that says that it is being deleted."""
    return {**obj, "metadata": {**obj["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}


def field(*path: str) -> str:
    return ".".join((*path, "metadata"))


@EVERYWHERE
def test_creating_with_an_exemption_needs_the_right(obj: Object, path: tuple[str, ...]) -> None:
    found = ask(exempt(obj, *path))
    assert (found.allowed, set(found.rules)) == (False, {"exemption"})
    assert found.fields == [f"{field(*path)}.labels", f"{field(*path)}.annotations"]
    for words in ('"alice" may not set "exempt.migratability.io/all"', 'Ask for the verb "exempt" on'):
        assert words in found.message


@EVERYWHERE
def test_adding_an_exemption_needs_the_right(obj: Object, path: tuple[str, ...]) -> None:
    assert ask(exempt(obj, *path), obj).rules == ["exemption", "exemption"]


@EVERYWHERE
def test_anyone_who_has_the_right_may_exempt(obj: Object, path: tuple[str, ...]) -> None:
    assert ask(exempt(obj, *path), may=[ALICE]).allowed
    assert ask(exempt(obj, *path), obj, may=[ALICE]).allowed


@EVERYWHERE
def test_the_right_is_asked_for_the_user_and_the_namespace(obj: Object, path: tuple[str, ...]) -> None:
    found = ask(exempt(obj, *path), may=[ALICE])
    assert set(found.asked) == {(ALICE, OF_NAMESPACES if obj is PLAIN else OF_VMS)}


CHANGES: list[tuple[str, Object, Object, bool]] = [
    ("extended", exempt(VM, value="2027-01-01"), exempt(VM, value="2027-02-01"), True),
    ("shortened", exempt(VM, value="2027-02-01"), exempt(VM, value="2027-01-01"), True),
    ("another rule more", exempt(VM), exempt(exempt(VM), rule="host-disk"), True),
    ("another reason", exempt(VM), tagged(exempt(VM), annotations={"migratability.io/exempt-reason": "x"}), True),
    ("a reason alone", VM, tagged(VM, annotations=REASON), True),
    ("moved into the template", exempt(VM), exempt(VM, "spec", "template"), True),
    ("removed", exempt(VM), VM, False),
    ("the reason removed", exempt(VM), exempt(VM, reason={}), False),
    ("left as it was", exempt(VM), tagged(exempt(VM), labels={"x": "y"}), False),
    ("a label that only looks like ours", VM, tagged(VM, labels={"migratability.io/exempt": "true"}), False),
    ("a label as an annotation", VM, tagged(VM, annotations={"exempt.migratability.io/all": "true"}), False),
    ("enforcement comes", PLAIN, namespace(enforcement="deny"), True),
    ("enforcement changes", namespace(enforcement="deny"), namespace(enforcement="warn"), True),
    ("enforcement goes", namespace(enforcement="deny"), PLAIN, True),
    ("enforcement stays", namespace(enforcement="warn"), namespace(enforcement="warn"), False),
    ("a namespace's exemption goes", namespace("x", all="true"), namespace("x"), False),
    ("a namespace's reason comes", PLAIN, namespace("x"), True),
]


@pytest.mark.parametrize(("old", "new", "needed"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_which_changes_need_the_right(old: Object, new: Object, needed: bool) -> None:
    found = ask(new, old)
    assert (set(found.rules), found.users_asked) == (({"exemption"}, {ALICE}) if needed else (set(), set()))


@pytest.mark.parametrize("subresource", ["", "status", "finalize"])
def test_a_namespaces_labels_need_the_right_by_whatever_subresource(subresource: str) -> None:
    assert ask(namespace(enforcement="off"), PLAIN, subresource=subresource).rules == ["exemption"]
    assert ask(namespace(), namespace(enforcement="deny"), subresource=subresource).rules == ["exemption"]


def test_the_denial_says_what_to_ask_for() -> None:
    vm_object, space = ask(exempt(VM)).message, ask(namespace("x", all="true")).message
    assert 'the verb "exempt" on virtualmachines.kubevirt.io in namespace vms' in vm_object
    assert 'the verb "exempt" on namespaces for namespace vms' in space


def test_an_exemption_without_the_right_exempts_nothing() -> None:
    found = ask(exempt(vm(disk("once"))))
    assert sorted(set(found.rules)) == ["exemption", "shared-access"]


def test_a_lifted_enforcement_is_shown_where_it_stood() -> None:
    found = ask(PLAIN, namespace(enforcement="deny"))
    assert (found.fields, '"migratability.io/enforcement"' in found.message) == (["metadata.labels"], True)


@pytest.mark.parametrize("user", [CONTROLLER, APISERVER])
@pytest.mark.parametrize("kind", [kind for kind in VMS if kind != "VirtualMachineInstance"])
def test_kubevirts_own_accounts_are_never_asked_about_and_bring_no_label(kind: str, user: str) -> None:
    """They hold every right and are steered by users, so that their right says nothing."""
    found = ask(exempt(VMS[kind]), VMS[kind], user=user, may=[user])
    assert (found.rules, found.asked) == (["exemption", "exemption"], [])
    assert '"exempt.migratability.io/all" would be set on a VM that KubeVirt creates' in found.message


@pytest.mark.parametrize("user", [CONTROLLER, APISERVER])
def test_the_labels_that_kubevirt_copies_to_an_vmi_need_no_right(user: str) -> None:
    """They come from its VM's template, and never count."""
    for old in (None, VMI):
        found = ask(exempt(VMI), old, user=user)
        assert (found.allowed, found.asked) == (True, [])


@pytest.mark.parametrize("user", [CONTROLLER, APISERVER])
def test_kubevirt_may_write_a_vm_that_has_labels(user: str) -> None:
    found = ask(tagged(exempt(VM), labels={"x": "y"}), exempt(VM), user=user)
    assert (found.allowed, found.asked) == (True, [])


def test_an_account_that_only_looks_like_kubevirts_is_asked_about() -> None:
    user = "system:serviceaccount:vms:kubevirt-controller"
    assert ask(exempt(VM), user=user).users_asked == {user}


def test_a_user_whose_wildcard_right_does_not_count_is_denied_unasked() -> None:
    found = ask(exempt(VM), user="argocd", may=["argocd"], settings={"exemptions": {"excludedUsers": ["argocd"]}})
    assert (found.allowed, found.asked) == (False, [])


def test_such_a_user_may_apply_again_what_is_there() -> None:
    settings = {"exemptions": {"excludedUsers": ["argocd"]}}
    assert ask(exempt(VM), exempt(VM), user="argocd", settings=settings).allowed


@pytest.mark.parametrize(("mode", "warned"), [("warn", True), ("off", False)])
def test_the_brake_lets_labels_pass(mode: str, warned: bool) -> None:
    found = ask(exempt(VM), settings={"mode": mode})
    assert (found.allowed, any("[exemption]" in line for line in found.warnings)) == (True, warned)


@pytest.mark.parametrize("level", ["warn", "off"])
def test_a_namespaces_own_label_is_no_brake_for_the_right(level: str) -> None:
    """Else anyone who may set it for a day could plant exemptions for ever."""
    assert set(ask(exempt(VM), None, namespace(enforcement=level)).rules) == {"exemption"}


def test_where_nothing_of_ours_changes_nobody_is_asked() -> None:
    assert ask(vm(disk("good"), architecture="amd64"), VM).asked == []


def test_the_mutating_side_asks_nobody() -> None:
    found: Answer = ask(exempt(vm(disk("once"))), side=mutate)
    assert (found.asked, found.patch) == ([], [])


@pytest.mark.parametrize("subresource", ["", "status", "finalize"])
def test_a_finalizer_is_removed_from_a_namespace_without_a_question(subresource: str) -> None:
    before = going(namespace(enforcement="off"))
    found = ask({**before, "spec": {"finalizers": []}}, before, subresource=subresource)
    assert (found.allowed, found.asked) == (True, [])


@pytest.mark.parametrize("subresource", ["", "status", "finalize"])
def test_a_label_on_a_namespace_that_is_being_deleted_needs_the_right(subresource: str) -> None:
    assert ask(going(namespace(enforcement="off")), going(PLAIN), subresource=subresource).rules == ["exemption"]


@pytest.mark.parametrize("obj", [*VMS.values(), PLAIN], ids=lambda obj: str(obj["kind"]))
def test_a_label_needs_the_right_whether_or_not_the_object_is_being_deleted(obj: Object) -> None:
    """KubeVirt may still create a VM for an object that is being deleted, and reads its labels."""
    assert set(ask(going(exempt(obj)), going(obj)).rules) == {"exemption"}
    found = ask(going(exempt(obj)), going(tagged(exempt(obj), labels={"x": "y"})))
    assert (found.allowed, found.asked) == (True, [])


@pytest.mark.parametrize("obj", [*VMS.values(), PLAIN], ids=lambda obj: str(obj["kind"]))
def test_a_label_needs_the_right_where_the_request_itself_says_that_the_object_is_being_deleted(obj: Object) -> None:
    """The API server stores it all the same."""
    for old in (None, obj):
        assert set(ask(going(exempt(obj)), old).rules) == {"exemption"}


class Silent(Rights):
    """A cluster in which nobody can be asked."""

    def may(self, user: Anything, right: Right) -> bool:
        raise Undecidable("no answer")

    def within(self, seconds: float, *, confirm: bool = False) -> "Silent":
        return self


@pytest.mark.parametrize("obj", [exempt(VM), namespace(enforcement="off")], ids=["machine", "Namespace"])
def test_where_nobody_can_be_asked_nothing_is_decided(obj: Object) -> None:
    with pytest.raises(Undecidable):
        validate(request(obj), Silent((KUBEVIRT, *CLUSTER)), Settings(), 5.0)


MISSPELT = [
    ("a rule", vm(disk("good")), {"exempt.migratability.io/shared-acces": "true"}, "there is no such rule"),
    ("a rule on a namespace", namespace(), {"exempt.migratability.io/x": "true"}, "there is no such rule"),
    ("a level", namespace(), {"migratability.io/enforcement": "dney"}, "it is none of deny, warn and off"),
]


@pytest.mark.parametrize(("obj", "labels", "why"), [row[1:] for row in MISSPELT], ids=[row[0] for row in MISSPELT])
def test_who_misspells_is_told_that_the_label_does_nothing(obj: Object, labels: Object, why: str) -> None:
    labelled = tagged(obj, labels=labels, annotations=REASON)
    (line,) = [line for line in ask(labelled, may=(ALICE,)).warnings if line.endswith("[exemption]")]
    assert f"does nothing: {why}" in line
    (key,) = labels
    assert key in line
    assert ask(labelled, labelled, may=(ALICE,)).warnings == []


def test_a_label_that_is_spelt_right_is_not_remarked_on() -> None:
    assert ask(namespace("a reason", all="true", enforcement="warn"), may=(ALICE,)).warnings == []
    assert (
        ask(exempt(vm(disk("good"), evictionStrategy="LiveMigrate"), rule="shared-access"), may=(ALICE,)).warnings == []
    )
