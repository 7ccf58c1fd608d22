"""Restores and clones are judged at their own creation, for the user who asks for them."""

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
    machine_snapshot,
    marked,
    namespace,
    restore,
    restored,
)

GOOD, BAD = marked(vm(disk("good")), labels={"a": "b"}), marked(vm(disk("once")), labels={"a": "b"})
CLONE = "clone of a machine"
FROM = {"VirtualMachineRestore": "spec.virtualMachineSnapshotName", "VirtualMachineClone": "spec.source"}
WAYS = ("restore to a new machine", "clone of a snapshot", CLONE)
EVERY_WAY = pytest.mark.parametrize("way", WAYS)
EXEMPTING = (
    {"op": "add", "path": "/metadata/labels/exempt.migratability.io~1all", "value": "true"},
    {"op": "add", "path": "/metadata/annotations", "value": REASON},
)


def asked_for(way: str, *patches: Object) -> Object:
    """Return what a user creates; the machine is "db", its snapshot "nightly"."""
    if way == "restore to a new machine":
        return restore("new", *patches)
    return clone("db", *patches) if way == CLONE else clone("nightly", *patches, kind="VirtualMachineSnapshot")


def there(way: str, machine: Object) -> list[Object]:
    """Return the machine where it is cloned itself, else its snapshot alone."""
    return [machine] if way == CLONE else machine_snapshot(machine)


def copied(way: str, machine: Object, *patches: Object, may: tuple[str, ...] = (), user: str = ALICE) -> Answer:
    return ask(asked_for(way, *patches), None, *there(way, machine), may=may, user=user)


@EVERY_WAY
def test_a_copy_that_can_migrate_is_admitted(way: str) -> None:
    found = copied(way, GOOD)
    assert (found.allowed, found.warnings, found.asked) == (True, [], [])


@EVERY_WAY
def test_a_copy_that_cannot_migrate_is_refused(way: str) -> None:
    found = copied(way, BAD)
    assert (found.rules, found.fields) == (["shared-access"], [FROM[asked_for(way)["kind"]]])
    assert "the machine that it makes" in found.message
    assert "spec.template.spec.volumes[0].persistentVolumeClaim.claimName" in found.message
    assert 'claim "once" is ReadWriteOnce' in found.message


@EVERY_WAY
def test_every_reason_is_told_at_once(way: str) -> None:
    assert copied(way, vm(disk("once"), host_disk("h"), disk("san-fs"))).rules == [
        "shared-access",
        "host-disk",
        "san-block",
    ]


@EVERY_WAY
def test_a_patch_that_brings_a_bad_disk_is_refused(way: str) -> None:
    more = {"op": "add", "path": "/spec/template/spec/volumes/-", "value": disk("once")}
    assert copied(way, GOOD, more).rules == ["shared-access"]


@EVERY_WAY
def test_a_patch_that_takes_the_bad_disk_away_is_admitted(way: str) -> None:
    assert copied(way, BAD, {"op": "replace", "path": "/spec/template/spec/volumes/0", "value": disk("good")}).allowed


@EVERY_WAY
def test_what_kubevirt_makes_itself_is_not_judged_again(way: str) -> None:
    assert copied(way, BAD, user=CONTROLLER).allowed


@EVERY_WAY
def test_only_a_creation_is_judged(way: str) -> None:
    obj = asked_for(way)
    assert ask(obj, obj, *there(way, BAD)).allowed


@pytest.mark.parametrize(("modes", "allowed"), [((RWX,), True), ((RWO,), False)], ids=["shared", "of one node"])
def test_a_restores_claims_are_judged_as_they_were_in_the_snapshot(modes: tuple[str, ...], allowed: bool) -> None:
    """Whatever became of the claim of that name since."""
    now = claim("d", RWO if allowed else RWX)
    found = ask(restore("new"), None, now, *machine_snapshot(vm(disk("d")), claim("d", *modes)))
    assert found.allowed is allowed


@pytest.mark.parametrize(("live", "allowed"), [(BAD, True), (GOOD, False), (None, False)], ids=["bad", "good", "gone"])
def test_a_restore_to_its_own_machine_may_bring_back_what_that_violates_now(live: Object | None, allowed: bool) -> None:
    found = ask(restore("db"), None, *machine_snapshot(BAD), *([live] if live else []))
    assert (found.allowed, found.rules) == (allowed, [] if allowed else ["shared-access"])


def test_a_restore_to_its_own_machine_may_bring_back_nothing_worse() -> None:
    found = ask(restore("db"), None, BAD, *machine_snapshot(vm(disk("once"), disk("san-fs"))))
    assert found.rules == ["san-block"]


def test_a_restore_to_another_machine_tolerates_nothing() -> None:
    other = vm(disk("once"), name="new")
    assert not ask(restore("new"), None, BAD, other, *machine_snapshot(BAD)).allowed


UNTOLD = [
    ("absent snapshot", restore("new"), [], 'snapshot "nightly" is not there'),
    ("unready snapshot", restore("new"), machine_snapshot(BAD, ready=False), 'snapshot "nightly" is not ready'),
    ("absent machine", clone("db"), [], 'VirtualMachine "db" is not there'),
]


@pytest.mark.parametrize(("obj", "objects", "why"), [row[1:] for row in UNTOLD], ids=[row[0] for row in UNTOLD])
def test_what_nobody_can_tell_yet_is_admitted_with_a_warning(obj: Object, objects: list[Object], why: str) -> None:
    found = ask(obj, None, *objects)
    assert found.allowed
    assert len(found.warnings) == 1
    assert why in found.warnings[0]
    assert "only when it is made" in found.warnings[0]


@EVERY_WAY
def test_without_the_right_a_label_that_is_copied_is_refused(way: str) -> None:
    found = copied(way, exempt(BAD))
    assert (sorted(set(found.rules)), found.users_asked) == (["exemption", "shared-access"], {ALICE})
    assert '"alice" may not set "exempt.migratability.io/all"' in found.message


@EVERY_WAY
def test_without_the_right_a_label_that_a_patch_brings_is_refused(way: str) -> None:
    found = copied(way, BAD, *EXEMPTING)
    assert sorted(set(found.rules)) == ["exemption", "shared-access"]


@EVERY_WAY
def test_without_the_right_a_label_is_refused_also_on_a_good_machine(way: str) -> None:
    """Else it would wait there for a bad disk."""
    assert set(copied(way, exempt(GOOD)).rules) == {"exemption"}


@EVERY_WAY
@pytest.mark.parametrize("patches", [(), EXEMPTING], ids=["in what is copied", "by a patch"])
def test_with_the_right_an_exemption_is_copied(way: str, patches: tuple[Object, ...]) -> None:
    machine = BAD if patches else exempt(BAD)
    assert copied(way, machine, *patches, may=(ALICE,)).allowed


@EVERY_WAY
def test_an_exemption_that_has_ended_is_copied_but_exempts_nothing(way: str) -> None:
    found = copied(way, exempt(BAD, value="2020-01-01"), may=(ALICE,))
    assert found.rules == ["shared-access"]
    assert any("ended on 2020-01-01" in line for line in found.warnings)


@EVERY_WAY
def test_a_label_in_a_template_that_is_copied_needs_the_right_too(way: str) -> None:
    assert set(copied(way, exempt(GOOD, "spec", "template")).rules) == {"exemption"}


@EVERY_WAY
def test_a_patch_that_takes_the_label_out_needs_no_right(way: str) -> None:
    out = {"op": "remove", "path": "/metadata/labels"}
    silent = {"op": "remove", "path": "/metadata/annotations"}
    found = copied(way, exempt(GOOD), out, silent)
    assert (found.allowed, found.asked) == (True, [])


def test_a_namespaces_exemption_covers_copies() -> None:
    assert ask(restore("new"), None, namespace("old", all="true"), *machine_snapshot(BAD)).allowed


@pytest.mark.parametrize("level", ["warn", "off"])
def test_a_backup_is_restored_where_the_namespace_does_not_enforce(level: str) -> None:
    assert ask(restore("new"), None, namespace(enforcement=level), *machine_snapshot(BAD)).allowed


RESTORE = restore("new")
MADE = restored(exempt(vm(disk("once"), name="new")), RESTORE)


def test_the_machine_of_a_restore_keeps_the_exemption_that_was_asked_for() -> None:
    found = ask(MADE, None, RESTORE, user=CONTROLLER)
    assert (found.allowed, found.asked) == (True, [])


NOT_RESTORED = [
    ("the restore is gone", MADE, []),
    ("another restore of that name", MADE, [known_as(RESTORE, OTHER_UID)]),
    ("the restore makes another machine", MADE, [restore("other")]),
    ("only a name", marked(MADE, annotations={"restore.kubevirt.io/lastRestoreUID": "back"}), [RESTORE]),
    (
        "only a uid",
        marked(MADE, annotations={"restore.kubevirt.io/lastRestoreUID": RESTORE["metadata"]["uid"]}),
        [RESTORE],
    ),
    ("nothing", exempt(vm(disk("once"), name="new")), [RESTORE]),
]


@pytest.mark.parametrize(("made", "objects"), [row[1:] for row in NOT_RESTORED], ids=[row[0] for row in NOT_RESTORED])
def test_no_other_machine_that_kubevirt_makes_brings_its_own_exemption(made: Object, objects: list[Object]) -> None:
    assert ask(made, None, *objects, user=CONTROLLER).rules == ["shared-access"]


def test_a_user_who_says_that_it_is_restored_needs_the_right() -> None:
    found = ask(MADE, None, RESTORE)
    assert sorted(set(found.rules)) == ["exemption", "shared-access"]
