"""Restores and clones are evaluated at their own creation, for the user who asks for them."""

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
VARIANTS = ("restore to a new VM", "clone of a snapshot", CLONE)
EVERY_VARIANT = pytest.mark.parametrize("variant", VARIANTS)
UNAPPLIED = {"op": "remove", "path": "/spec/absent"}
EXEMPTING = (
    {"op": "add", "path": "/metadata/labels/exempt.migratability.io~1all", "value": "true"},
    {"op": "add", "path": "/metadata/annotations", "value": REASON},
)


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


@EVERY_VARIANT
def test_a_copy_that_can_migrate_is_admitted(variant: str) -> None:
    found = created(variant, GOOD)
    assert (found.allowed, found.warnings, found.asked) == (True, [], [])


@EVERY_VARIANT
def test_a_copy_that_cannot_migrate_is_denied(variant: str) -> None:
    found = created(variant, BAD)
    assert (found.rules, found.fields) == (["shared-access"], [FROM[asked_for(variant)["kind"]]])
    assert "the VM it creates violates a rule at" in found.message
    assert "spec.template.spec.volumes[0].persistentVolumeClaim.claimName" in found.message
    assert 'PVC "once" is ReadWriteOnce' in found.message


@EVERY_VARIANT
def test_every_reason_is_told_at_once(variant: str) -> None:
    assert created(variant, vm(disk("once"), host_disk("h"), disk("san-fs"))).rules == [
        "shared-access",
        "host-disk",
        "san-block",
    ]


@EVERY_VARIANT
def test_a_patch_that_brings_a_bad_disk_is_denied(variant: str) -> None:
    more = {"op": "add", "path": "/spec/template/spec/volumes/-", "value": disk("once")}
    assert created(variant, GOOD, more).rules == ["shared-access"]


@EVERY_VARIANT
def test_a_patch_that_takes_the_bad_disk_away_is_admitted(variant: str) -> None:
    assert created(
        variant, BAD, {"op": "replace", "path": "/spec/template/spec/volumes/0", "value": disk("good")}
    ).allowed


@EVERY_VARIANT
def test_what_kubevirt_makes_itself_is_not_evaluated_again(variant: str) -> None:
    assert created(variant, BAD, user=CONTROLLER).allowed


@EVERY_VARIANT
def test_update_is_evaluated_where_it_changes_the_spec(variant: str) -> None:
    obj, edited = asked_for(variant), tagged(asked_for(variant), labels={"a": "b"})
    assert ask(edited, obj, *there(variant, BAD)).allowed
    assert ask(edited, asked_for(variant, UNAPPLIED), *there(variant, BAD)).rules == ["shared-access"]
    assert ask(asked_for(variant, UNAPPLIED), obj, *there(variant, GOOD)).rules == ["restore-patches"]


@pytest.mark.parametrize(("modes", "allowed"), [((RWX,), True), ((RWO,), False)], ids=["shared", "of one node"])
def test_a_restores_pvcs_are_evaluated_as_they_were_in_the_snapshot(modes: tuple[str, ...], allowed: bool) -> None:
    """Whatever became of the PVC of that name since."""
    now = claim("d", RWO if allowed else RWX)
    found = ask(restore("new"), None, now, *vm_snapshot(vm(disk("d")), claim("d", *modes)))
    assert found.allowed is allowed


@pytest.mark.parametrize(("live", "allowed"), [(BAD, True), (GOOD, False), (None, False)], ids=["bad", "good", "gone"])
def test_a_restore_to_its_own_vm_may_bring_back_what_that_violates_now(live: Object | None, allowed: bool) -> None:
    found = ask(restore("db"), None, *vm_snapshot(BAD), *([live] if live else []))
    assert (found.allowed, found.rules) == (allowed, [] if allowed else ["shared-access"])


def test_a_restore_to_its_own_vm_may_bring_back_nothing_worse() -> None:
    found = ask(restore("db"), None, BAD, *vm_snapshot(vm(disk("once"), disk("san-fs"))))
    assert found.rules == ["san-block"]


def test_a_restore_to_another_vm_tolerates_nothing() -> None:
    other = vm(disk("once"), name="new")
    assert not ask(restore("new"), None, BAD, other, *vm_snapshot(BAD)).allowed


UNTOLD = [
    ("absent snapshot", restore("new"), [], 'snapshot "nightly" is not there'),
    ("unready snapshot", restore("new"), vm_snapshot(BAD, ready=False), 'snapshot "nightly" is not ready'),
    ("absent VM", clone("db"), [], 'VirtualMachine "db" is not there'),
]


@pytest.mark.parametrize(("obj", "objects", "why"), [row[1:] for row in UNTOLD], ids=[row[0] for row in UNTOLD])
def test_what_nobody_can_tell_yet_is_admitted_with_a_warning(obj: Object, objects: list[Object], why: str) -> None:
    found = ask(obj, None, *objects)
    assert found.allowed
    assert len(found.warnings) == 1
    assert why in found.warnings[0]
    assert "the VM is checked when KubeVirt creates it" in found.warnings[0]


UNTOLD_PATCHED = [
    ("absent snapshot", restore("new", *EXEMPTING), [], 'snapshot "nightly" is not there'),
    ("unready snapshot", restore("new", *EXEMPTING), vm_snapshot(BAD, ready=False), "is not ready"),
    ("absent VM", clone("db", *EXEMPTING), [], 'VirtualMachine "db" is not there'),
]


@pytest.mark.parametrize(
    ("obj", "objects", "why"), [row[1:] for row in UNTOLD_PATCHED], ids=[row[0] for row in UNTOLD_PATCHED]
)
def test_patches_of_what_nobody_can_tell_yet_are_denied(obj: Object, objects: list[Object], why: str) -> None:
    """They could bring anything to what has been evaluated by then."""
    found = ask(obj, None, *objects, may=(ALICE,))
    assert (found.rules, found.fields) == (["restore-patches"], ["spec.patches"])
    assert why in found.message
    assert "so its patches cannot be evaluated" in found.message


@EVERY_VARIANT
def test_patches_that_cannot_be_applied_are_denied(variant: str) -> None:
    found = created(variant, GOOD, UNAPPLIED)
    assert (found.rules, found.fields, found.asked) == (["restore-patches"], ["spec.patches"], [])
    assert "the patches cannot be applied" in found.message


POOL = {"apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool", "name": "copy", "uid": "u"}


@EVERY_VARIANT
def test_a_patch_that_gives_the_vm_an_owner_is_denied(variant: str) -> None:
    """What KubeVirt makes for an owner was evaluated with the owner; this was not."""
    patch = {"op": "add", "path": "/metadata/ownerReferences", "value": [{**POOL, "controller": True}]}
    found = created(variant, GOOD, patch)
    assert found.rules == ["restore-patches"]
    assert 'a patch may not write "/metadata/ownerReferences"' in found.message


@EVERY_VARIANT
def test_a_patch_in_another_spelling_is_denied(variant: str) -> None:
    """KubeVirt reads field names in any case."""
    found = created(variant, GOOD, {"op": "add", "path": "/spec/template/spec/Volumes", "value": [disk("once")]})
    assert (found.rules, found.fields) == (["restore-patches"], ["spec.patches"])


HARMLESS = (
    {"op": "add", "path": "/metadata/labels/app", "value": "copy"},
    {"op": "remove", "path": "/spec/template/spec/domain/firmware/serial"},
    {"op": "replace", "path": "/spec/template/spec/domain/devices/interfaces/0/macAddress", "value": ""},
)


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


@EVERY_VARIANT
def test_patches_that_cannot_matter_excuse_nothing_of_the_vm(variant: str) -> None:
    assert created(variant, BAD, *HARMLESS).rules == ["shared-access"]


def test_patches_beside_one_that_matters_are_denied_where_the_source_is_not_ready() -> None:
    more = {"op": "add", "path": "/spec/template/spec/volumes/-", "value": disk("good")}
    assert ask(restore("new", *HARMLESS, more), None).rules == ["restore-patches"]


@EVERY_VARIANT
@pytest.mark.parametrize("op", ["move", "copy"])
def test_a_label_that_a_patch_moves_to_ours_is_not_carried(variant: str, op: str) -> None:
    patch = {"op": op, "from": "/metadata/labels/a", "path": "/metadata/labels/exempt.migratability.io~1all"}
    assert created(variant, GOOD, patch, may=(ALICE,)).rules == ["exemption"]


@EVERY_VARIANT
@pytest.mark.parametrize("op", ["add", "remove"])
def test_a_patch_that_says_for_whom_kubevirt_restores_is_denied(variant: str, op: str) -> None:
    """KubeVirt's annotation says whose labels count when the VM is created."""
    forged = {"op": op, "path": "/metadata/annotations/restore.kubevirt.io~1lastRestoreUID", "value": f"x-{OTHER_UID}"}
    found = created(variant, restored(GOOD, known_as(restore("new"))), forged)
    assert (found.rules, found.fields) == (["restore-patches"], ["spec.patches"])


@pytest.mark.parametrize(("mode", "warned"), [("warn", True), ("off", False)])
def test_the_brake_lets_patches_pass_that_cannot_be_applied(mode: str, warned: bool) -> None:
    found = ask(restore("new", "{"), None, *vm_snapshot(GOOD), settings={"mode": mode})
    assert (found.allowed, any("[restore-patches]" in line for line in found.warnings)) == (True, warned)


def test_patches_that_cannot_be_applied_pass_unseen_where_the_namespace_is_off() -> None:
    found = ask(restore("new", "{"), None, namespace(enforcement="off"), *vm_snapshot(GOOD))
    assert (found.allowed, found.warnings) == (True, [])


NOT_CARRIED = '"exempt.migratability.io/all" would be set on a VM that KubeVirt creates'
BY_ANY_MEANS = pytest.mark.parametrize("patches", [(), EXEMPTING], ids=["in what is copied", "by a patch"])


def carried(variant: str, obj: Object, *patches: Object, value: str = "true", may: tuple[str, ...] = ()) -> Answer:
    """Return the answer where the restore or clone carries the label itself."""
    return ask(exempt(asked_for(variant, *patches), value=value), None, *there(variant, obj), may=may)


@EVERY_VARIANT
@BY_ANY_MEANS
@pytest.mark.parametrize("vm_object", [GOOD, BAD], ids=["good", "bad"])
def test_a_label_that_the_copy_does_not_carry_itself_is_denied(
    variant: str, patches: tuple[Object, ...], vm_object: Object
) -> None:
    """Also of those with the right: nobody is asked about what KubeVirt writes later. A good VM would keep it."""
    found = created(variant, vm_object if patches else exempt(vm_object), *patches, may=(ALICE,))
    assert set(found.rules) == {"exemption", *(["shared-access"] if vm_object is BAD else [])}
    assert (set(found.fields), found.asked) == ({FROM[asked_for(variant)["kind"]]}, [])
    assert NOT_CARRIED in found.message


@EVERY_VARIANT
def test_a_label_in_a_template_that_is_copied_must_be_carried_too(variant: str) -> None:
    vm_object = exempt(GOOD, "spec", "template")
    assert set(created(variant, vm_object, may=(ALICE,)).rules) == {"exemption"}
    assert carried(variant, vm_object, may=(ALICE,)).allowed


@EVERY_VARIANT
@BY_ANY_MEANS
def test_without_the_right_a_copy_may_carry_no_label(variant: str, patches: tuple[Object, ...]) -> None:
    found = carried(variant, BAD if patches else exempt(BAD), *patches)
    assert (set(found.rules), found.users_asked) == ({"exemption", "shared-access"}, {ALICE})
    assert '"alice" may not set "exempt.migratability.io/all"' in found.message
    assert "metadata.labels" in found.fields


@EVERY_VARIANT
@BY_ANY_MEANS
def test_with_the_right_an_exemption_that_the_copy_carries_is_copied(variant: str, patches: tuple[Object, ...]) -> None:
    found = carried(variant, BAD if patches else exempt(BAD), *patches, may=(ALICE,))
    assert (found.allowed, found.users_asked) == (True, {ALICE})


@EVERY_VARIANT
def test_with_the_right_a_copy_may_exempt_a_vm_that_has_no_label(variant: str) -> None:
    assert carried(variant, BAD, may=(ALICE,)).allowed


@EVERY_VARIANT
def test_a_label_is_carried_only_with_its_value(variant: str) -> None:
    found = carried(variant, exempt(GOOD), value="2020-01-01", may=(ALICE,))
    assert (found.rules, NOT_CARRIED in found.message) == (["exemption"], True)


@EVERY_VARIANT
def test_an_exemption_that_has_ended_is_copied_but_exempts_nothing(variant: str) -> None:
    found = carried(variant, exempt(BAD, value="2020-01-01"), value="2020-01-01", may=(ALICE,))
    assert found.rules == ["shared-access"]
    assert any("ended on 2020-01-01" in line for line in found.warnings)


@EVERY_VARIANT
def test_a_label_that_a_copy_gets_later_needs_the_right(variant: str) -> None:
    obj = asked_for(variant)
    assert ask(exempt(obj), obj, *there(variant, BAD)).rules == ["exemption", "exemption"]
    assert ask(exempt(obj), obj, *there(variant, BAD), may=(ALICE,)).allowed


def test_a_restore_to_its_own_vm_is_exempt_by_that_ones_labels() -> None:
    """KubeVirt keeps its metadata, and writes none of the restore's."""
    snapshot = vm_snapshot(BAD)
    assert ask(restore("db"), None, exempt(GOOD), *snapshot).allowed
    assert ask(exempt(restore("db")), None, GOOD, *snapshot, may=(ALICE,)).rules == ["shared-access"]
    assert ask(restore("db"), None, GOOD, *vm_snapshot(exempt(GOOD))).allowed


@EVERY_VARIANT
def test_a_patch_that_takes_the_label_out_needs_no_right(variant: str) -> None:
    out = {"op": "remove", "path": "/metadata/labels"}
    silent = {"op": "remove", "path": "/metadata/annotations"}
    found = created(variant, exempt(GOOD), out, silent)
    assert (found.allowed, found.asked) == (True, [])


def test_a_namespaces_exemption_covers_copies() -> None:
    assert ask(restore("new"), None, namespace("old", all="true"), *vm_snapshot(BAD)).allowed


@pytest.mark.parametrize("level", ["warn", "off"])
def test_a_backup_is_restored_where_the_namespace_does_not_enforce(level: str) -> None:
    assert ask(restore("new"), None, namespace(enforcement=level), *vm_snapshot(BAD)).allowed


RESTORE = exempt(restore("new"))
MADE = restored(exempt(vm(disk("once"), name="new")), RESTORE)
CLONED = exempt(known_as(clone("db", target="new"), OTHER_UID))
OF_CLONE = owned(restore("new"), CLONED)


def test_the_vm_of_a_restore_keeps_the_exemption_that_was_asked_for() -> None:
    found = ask(MADE, None, RESTORE, user=CONTROLLER)
    assert (found.allowed, found.asked) == (True, [])


def test_the_vm_of_a_clone_keeps_the_exemption_that_was_asked_for() -> None:
    """KubeVirt makes it by a restore of its own."""
    found = ask(MADE, None, OF_CLONE, CLONED, user=CONTROLLER)
    assert (found.allowed, found.asked) == (True, [])


def test_the_labels_of_a_restore_exempt_a_vm_that_has_none() -> None:
    assert ask(restored(vm(disk("once"), name="new"), RESTORE), None, RESTORE, user=CONTROLLER).allowed


NOT_RESTORED = [
    ("the restore is gone", MADE, []),
    ("the restore carries no label", MADE, [restore("new")]),
    ("another restore of that name", MADE, [known_as(RESTORE, OTHER_UID)]),
    ("the restore makes another VM", MADE, [exempt(restore("other"))]),
    ("the clone behind it is gone", MADE, [OF_CLONE]),
    ("the clone behind it carries no label", MADE, [OF_CLONE, known_as(clone("db", target="new"), OTHER_UID)]),
    ("another clone of that name", MADE, [OF_CLONE, known_as(CLONED)]),
    ("only a name", tagged(MADE, annotations={"restore.kubevirt.io/lastRestoreUID": "back"}), [RESTORE]),
    (
        "only a uid",
        tagged(MADE, annotations={"restore.kubevirt.io/lastRestoreUID": RESTORE["metadata"]["uid"]}),
        [RESTORE],
    ),
    ("nothing", exempt(vm(disk("once"), name="new")), [RESTORE]),
]


@pytest.mark.parametrize(("made", "objects"), [row[1:] for row in NOT_RESTORED], ids=[row[0] for row in NOT_RESTORED])
def test_no_other_vm_that_kubevirt_makes_brings_its_own_exemption(made: Object, objects: list[Object]) -> None:
    found = ask(made, None, *objects, user=CONTROLLER, may=(CONTROLLER,))
    assert (set(found.rules), found.asked) == ({"exemption", "shared-access"}, [])
    assert NOT_CARRIED in found.message


def test_a_user_who_says_that_it_is_restored_needs_the_right() -> None:
    found = ask(MADE, None, RESTORE)
    assert (set(found.rules), found.users_asked) == ({"exemption", "shared-access"}, {ALICE})
