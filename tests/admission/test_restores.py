"""Restores and clones are evaluated at their own creation, for the user who asks for them."""

from collections.abc import Callable

import pytest

from tests.build import RWO, RWX, Object, claim, disk, host_disk, vm
from tests.build_paths import (
    ALICE,
    CONTROLLER,
    OTHER_UID,
    REASON,
    Answer,
    ask,
    clone,
    exempt,
    known_as,
    namespace,
    owned,
    restore,
    restored,
    tagged,
    vm_snapshot,
)

GOOD, BAD = tagged(vm(disk("good")), labels={"a": "b"}), tagged(vm(disk("once")), labels={"a": "b"})
CLONE = "clone of a VM"
FROM = {"VirtualMachineRestore": "spec.virtualMachineSnapshotName", "VirtualMachineClone": "spec.source"}
EVERY_VARIANT = pytest.mark.parametrize("variant", ["restore to a new VM", "clone of a snapshot", CLONE])
ENDED = "2020-01-01"
VOLUMES = "/spec/template/spec/volumes"
ADD_BAD = {"op": "add", "path": f"{VOLUMES}/-", "value": disk("once")}
REPLACE_BAD = {"op": "replace", "path": f"{VOLUMES}/0", "value": disk("good")}
IN_TEMPLATE = exempt(GOOD, "spec", "template")
EXEMPT_ALL = "/metadata/labels/exempt.migratability.io~1all"
THREE_BAD = vm(disk("once"), disk("san-fs"), host_disk("image"))
UNAPPLIED = {"op": "remove", "path": "/spec/absent"}
OUT = ({"op": "remove", "path": "/metadata/labels"}, {"op": "remove", "path": "/metadata/annotations"})
EXEMPTING = (
    {"op": "add", "path": EXEMPT_ALL, "value": "true"},
    {"op": "add", "path": "/metadata/annotations", "value": REASON},
)
HARMLESS = (
    {"op": "add", "path": "/metadata/labels/app", "value": "copy"},
    {"op": "remove", "path": "/spec/template/spec/domain/firmware/serial"},
    {"op": "replace", "path": "/spec/template/spec/domain/devices/interfaces/0/macAddress", "value": ""},
)
NOT_CARRIED = '"exempt.migratability.io/all" would be set on a VM that KubeVirt creates'


def asked_for(variant: str, *patches: Object) -> Object:
    """Return what a user creates; the VM is "db", its snapshot "nightly"."""
    if variant == "restore to a new VM":
        return restore("new", *patches)
    return clone("db", *patches) if variant == CLONE else clone("nightly", *patches, kind="VirtualMachineSnapshot")


def there(variant: str, vm_object: Object) -> list[Object]:
    """Return the VM where it is cloned itself, else its snapshot alone."""
    return [vm_object] if variant == CLONE else vm_snapshot(vm_object)


def created(variant: str, vm_object: Object, *patches: Object, may: tuple[str, ...] = (), user: str = ALICE) -> Answer:
    return ask(asked_for(variant, *patches), None, *there(variant, vm_object), may=may, user=user)


def carried(variant: str, obj: Object, *patches: Object, value: str = "true") -> Answer:
    """Return the answer where the restore or clone carries the label itself."""
    return ask(exempt(asked_for(variant, *patches), value=value), None, *there(variant, obj), may=(ALICE,))


def updated(variant: str, vm_object: Object, new: Object, may: tuple[str, ...] = ()) -> Answer:
    return ask(new, asked_for(variant), *there(variant, vm_object), may=may)


def moving(op: str) -> Object:
    return {"op": op, "from": "/metadata/labels/a", "path": EXEMPT_ALL}


Act = Callable[[str], Answer]
SHARED, LABEL, PATCHES = ["shared-access"], ["exemption"], ["restore-patches"]
RULES: dict[str, tuple[Act, list[str]]] = {
    "a VM with three violations": (lambda v: created(v, THREE_BAD), [*SHARED, "san-block", "host-disk"]),
    "a patch adds a bad disk": (lambda v: created(v, GOOD, ADD_BAD), SHARED),
    "a patch replaces the bad disk": (lambda v: created(v, BAD, REPLACE_BAD), []),
    "patches that cannot matter excuse nothing": (lambda v: created(v, BAD, *HARMLESS), SHARED),
    "KubeVirt's controller creates it": (lambda v: created(v, BAD, user=CONTROLLER), []),
    "a label moves to ours": (lambda v: created(v, GOOD, moving("move"), may=(ALICE,)), LABEL),
    "a label is copied to ours": (lambda v: created(v, GOOD, moving("copy"), may=(ALICE,)), LABEL),
    "a template's label is carried": (lambda v: carried(v, IN_TEMPLATE), []),
    "the label is carried": (lambda v: carried(v, exempt(BAD)), []),
    "the label of a patch is carried": (lambda v: carried(v, BAD, *EXEMPTING), []),
    "the label is carried with another value": (lambda v: carried(v, exempt(GOOD), value=ENDED), LABEL),
    "a label is set later": (lambda v: updated(v, BAD, exempt(asked_for(v))), LABEL * 2),
    "a label is set later with the right": (lambda v: updated(v, BAD, exempt(asked_for(v)), may=(ALICE,)), []),
    "an update leaves the spec as it was": (lambda v: updated(v, BAD, tagged(asked_for(v), labels={"a": "b"})), []),
    "an update of the spec of a bad VM": (lambda v: updated(v, BAD, asked_for(v, *HARMLESS)), SHARED),
    "an update to patches that do not apply": (lambda v: updated(v, GOOD, asked_for(v, UNAPPLIED)), PATCHES),
}


@EVERY_VARIANT
@pytest.mark.parametrize(("act", "rules"), RULES.values(), ids=RULES)
def test_which_rules_deny_a_restore_or_clone(variant: str, act: Act, rules: list[str]) -> None:
    found = act(variant)
    assert (found.allowed, found.rules) == (not rules, rules)


@EVERY_VARIANT
@pytest.mark.parametrize(("source", "patches"), [(GOOD, ()), (exempt(GOOD), OUT)], ids=["good", "label patched out"])
def test_a_restore_or_clone_without_fault_and_label_is_admitted_without_a_warning_or_a_right(
    variant: str, source: Object, patches: tuple[Object, ...]
) -> None:
    found = created(variant, source, *patches)
    assert (found.allowed, found.warnings, found.asked) == (True, [], [])


@EVERY_VARIANT
def test_patches_that_cannot_be_applied_are_denied(variant: str) -> None:
    found = created(variant, GOOD, UNAPPLIED)
    assert (found.rules, found.fields, found.asked) == (["restore-patches"], ["spec.patches"], [])
    assert "the patches cannot be applied" in found.message


MISSING = [
    (restore("new"), [], 'snapshot "nightly" does not exist'),
    (restore("new"), vm_snapshot(BAD, ready=False), 'snapshot "nightly" is not ready'),
    (clone("db"), [], 'VirtualMachine "db" does not exist'),
]
EVERY_MISSING = pytest.mark.parametrize(("obj", "objects", "why"), MISSING, ids=[row[2] for row in MISSING])


@EVERY_MISSING
def test_without_its_source_it_is_admitted_with_a_warning(obj: Object, objects: list[Object], why: str) -> None:
    found = ask(obj, None, *objects)
    (warning,) = found.warnings
    assert (found.allowed, why in warning) == (True, True)
    assert "the VM is checked when KubeVirt creates it" in warning


@EVERY_MISSING
def test_without_its_source_patches_that_can_matter_are_denied(obj: Object, objects: list[Object], why: str) -> None:
    """They could add anything to what is evaluated by then."""
    make = restore("new", *HARMLESS, *EXEMPTING) if obj["kind"] == "VirtualMachineRestore" else clone("db", *EXEMPTING)
    found = ask(make, None, *objects, may=(ALICE,))
    assert (found.rules, found.fields) == (["restore-patches"], ["spec.patches"])
    assert (why in found.message, "so its patches cannot be evaluated" in found.message) == (True, True)


@pytest.mark.parametrize(
    ("obj", "objects"),
    [
        (restore("new", *HARMLESS), []),
        (restore("new", *HARMLESS), vm_snapshot(BAD, ready=False)),
        (clone("db", *HARMLESS), []),
        (restore("db", *HARMLESS), [GOOD, *vm_snapshot(GOOD)]),
        (restore("new", *HARMLESS), vm_snapshot(GOOD)),
    ],
    ids=["absent snapshot", "unready snapshot", "absent VM", "VM exists", "ready snapshot"],
)
def test_patches_that_cannot_matter_are_admitted_whatever_the_source_is(obj: Object, objects: list[Object]) -> None:
    assert ask(obj, None, *objects).allowed


NIGHTLY, WITH_D = vm_snapshot(BAD), vm(disk("d"))
ONCE, MANY = claim("d", RWO), claim("d", RWX)
TWO_BAD = vm_snapshot(vm(disk("once"), disk("san-fs")))
OVER: dict[str, tuple[Object, list[Object], list[str]]] = {
    "a PVC that was shared in the snapshot": (restore("new"), [ONCE, *vm_snapshot(WITH_D, MANY)], []),
    "a PVC that was not shared in the snapshot": (restore("new"), [MANY, *vm_snapshot(WITH_D, ONCE)], SHARED),
    "over a VM that violates something else": (restore("db"), [BAD, *TWO_BAD], ["san-block"]),
    "over a VM that is gone": (restore("db"), NIGHTLY, SHARED),
    "over another VM that violates the same": (restore("new"), [vm(disk("once"), name="new"), *NIGHTLY], SHARED),
    "over a VM that is not exempt as the restore is": (exempt(restore("db")), [GOOD, *NIGHTLY], SHARED),
    "the namespace is exempt": (restore("new"), [namespace("old", all="true"), *NIGHTLY], []),
    "the namespace only warns": (restore("new"), [namespace(enforcement="warn"), *NIGHTLY], []),
    "the namespace is off": (restore("new"), [namespace(enforcement="off"), *NIGHTLY], []),
}


@pytest.mark.parametrize(("obj", "objects", "rules"), OVER.values(), ids=OVER)
def test_which_rules_deny_a_restore_by_what_is_there(obj: Object, objects: list[Object], rules: list[str]) -> None:
    """KubeVirt keeps the metadata of the VM that it restores over, and writes none of the restore's."""
    found = ask(obj, None, *objects, may=(ALICE,))
    assert (found.allowed, found.rules) == (not rules, rules)


UNENFORCED: dict[str, tuple[Object, list[Object], bool]] = {
    "mode warn": ({"mode": "warn"}, [], True),
    "mode off": ({"mode": "off"}, [], False),
    "the namespace is off": ({}, [namespace(enforcement="off")], False),
}


@pytest.mark.parametrize(("settings", "objects", "warned"), UNENFORCED.values(), ids=UNENFORCED)
def test_patches_that_cannot_be_applied_are_admitted_where_nothing_is_enforced(
    settings: Object, objects: list[Object], warned: bool
) -> None:
    found = ask(restore("new", "{"), None, *objects, *vm_snapshot(GOOD), settings=settings)
    assert (found.allowed, any("[restore-patches]" in line for line in found.warnings)) == (True, warned)


RESTORE = exempt(restore("new"))
MADE = restored(exempt(vm(disk("once"), name="new")), RESTORE)
CLONED = exempt(known_as(clone("db", target="new"), OTHER_UID))
OF_CLONE = owned(restore("new"), CLONED)
RESTORED: dict[str, tuple[Object, list[Object]]] = {
    "a clone, by a restore of KubeVirt's own": (MADE, [OF_CLONE, CLONED]),
    "a restore, where the VM has no label": (restored(vm(disk("once"), name="new"), RESTORE), [RESTORE]),
}


@pytest.mark.parametrize(("made", "objects"), RESTORED.values(), ids=RESTORED)
def test_the_created_vm_keeps_the_exemption_of(made: Object, objects: list[Object]) -> None:
    found = ask(made, None, *objects, user=CONTROLLER)
    assert (found.allowed, found.asked) == (True, [])


def said_to_be_of(restored_by: str) -> Object:
    return tagged(MADE, annotations={"restore.kubevirt.io/lastRestoreUID": restored_by})


NOT_RESTORED: dict[str, tuple[Object, list[Object]]] = {
    "the restore is gone": (MADE, []),
    "the restore carries no label": (MADE, [restore("new")]),
    "another restore of that name": (MADE, [known_as(RESTORE, OTHER_UID)]),
    "the restore creates another VM": (MADE, [exempt(restore("other"))]),
    "the clone behind it is gone": (MADE, [OF_CLONE]),
    "the clone behind it carries no label": (MADE, [OF_CLONE, known_as(clone("db", target="new"), OTHER_UID)]),
    "another clone of that name": (MADE, [OF_CLONE, known_as(CLONED)]),
    "only a name": (said_to_be_of("back"), [RESTORE]),
    "only a uid": (said_to_be_of(RESTORE["metadata"]["uid"]), [RESTORE]),
    "only a uid after a dash": (said_to_be_of(f"-{RESTORE['metadata']['uid']}"), [RESTORE]),
    "nothing": (exempt(vm(disk("once"), name="new")), [RESTORE]),
}


@pytest.mark.parametrize(("made", "objects"), NOT_RESTORED.values(), ids=NOT_RESTORED)
def test_no_other_vm_that_kubevirt_creates_exempts_itself(made: Object, objects: list[Object]) -> None:
    found = ask(made, None, *objects, user=CONTROLLER, may=(CONTROLLER,))
    assert (set(found.rules), found.asked) == ({"exemption", "shared-access"}, [])
    assert NOT_CARRIED in found.message


def test_a_user_who_says_that_the_vm_is_restored_needs_the_right() -> None:
    found = ask(MADE, None, RESTORE)
    assert (set(found.rules), found.users_asked) == ({"exemption", "shared-access"}, {ALICE})
