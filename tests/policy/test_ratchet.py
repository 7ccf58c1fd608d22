"""What an object violated before a request is no reason to deny the request."""

import pytest

from tests.build import (
    CLUSTER,
    RWO,
    Object,
    claim,
    data_volume_disk,
    disk,
    host_disk,
    templated_vm,
    vm,
    vmi,
    volume_request,
)
from webhook import Verdict, evaluate

OBJECTS = (*CLUSTER, claim("once-too", RWO))


def update(old: Object, new: Object) -> Verdict:
    return evaluate(new, OBJECTS, old=old, operation="UPDATE")


def preexisting(verdict: Verdict) -> dict[str | None, bool]:
    return {violation.volume: violation.preexisting for violation in verdict.violations}


def requesting(*volumes: Object, declared: tuple[Object, ...] = ()) -> Object:
    return vm(*declared, status={"volumeRequests": [volume_request(volume) for volume in volumes]})


PREEXISTING = [
    ("untouched", vm(disk("once")), vm(disk("once"))),
    ("something else changed", vm(disk("once")), vm(disk("once"), hostname="x")),
    ("a good volume more", vm(disk("once")), vm(disk("good"), disk("once"))),
    ("its place changed", vm(disk("once"), disk("good")), vm(disk("good"), disk("once"))),
    ("another bad PVC under the same name", vm(disk("once", "d")), vm(disk("once-too", "d"))),
    ("renamed, the same PVC", vm(disk("once", "a")), vm(disk("once", "b"))),
    ("now by its DataVolume", vm(disk("once", "a")), vm(data_volume_disk("once", "b"))),
    ("the request became a volume", requesting(disk("once")), vm(disk("once"))),
    ("the request is still pending", requesting(disk("once")), requesting(disk("once"))),
    ("the volume is requested again", vm(disk("once")), requesting(disk("once"))),
    ("hostDisk untouched", vm(host_disk("h")), vm(disk("good"), host_disk("h"))),
    ("a filesystem on SAN", vm(disk("san-fs")), vm(disk("san-fs"), hostname="x")),
    ("a VMI", vmi(disk("once")), vmi(disk("once"), disk("good"))),
]


@pytest.mark.parametrize(("old", "new"), [row[1:] for row in PREEXISTING], ids=[row[0] for row in PREEXISTING])
def test_a_violation_that_was_there_is_preexisting(old: Object, new: Object) -> None:
    found = update(old, new)
    assert found.allowed
    assert [violation.preexisting for violation in found.violations] == [True]
    assert [violation.action for violation in found.violations] == ["deny"]


DENIED = [
    ("its PVC under another name beside it", vm(disk("once", "a")), vm(disk("once", "b"), disk("good", "a"))),
    ("nothing was wrong", vm(disk("good")), vm(disk("once"))),
    ("another volume", vm(disk("once")), vm(disk("once-too"))),
    ("the volume was good", vm(disk("good", "d")), vm(disk("once", "d"))),
    ("another rule on the same volume", vm(disk("once", "d")), vm(disk("san-fs", "d"))),
    ("another rule on the same PVC name", vm(host_disk("d")), vm(disk("once", "d"))),
    ("a renamed hostDisk has no PVC to be known by", vm(host_disk("a")), vm(host_disk("b"))),
    ("a hot-plug request", vm(disk("good")), requesting(disk("once"), declared=(disk("good"),))),
    ("a VMI", vmi(disk("good")), vmi(disk("good"), disk("once"))),
]


@pytest.mark.parametrize(("old", "new"), [row[1:] for row in DENIED], ids=[row[0] for row in DENIED])
def test_a_new_violation_is_denied(old: Object, new: Object) -> None:
    found = update(old, new)
    assert not found.allowed
    assert [violation.preexisting for violation in found.violations] == [False]


def test_only_the_new_one_of_two_violations_denies() -> None:
    found = update(vm(disk("once")), vm(disk("once"), disk("once-block")))
    assert not found.allowed
    assert preexisting(found) == {"once": True, "once-block": False}


def test_a_rule_that_is_broken_again_denies_beside_one_that_was_broken() -> None:
    found = update(vm(disk("once", "d")), vm(disk("san-fs-once", "d")))
    assert {violation.rule: violation.preexisting for violation in found.violations} == {
        "shared-access": True,
        "san-block": False,
    }


def test_what_became_bad_behind_the_vms_back_is_preexisting() -> None:
    """The old object is evaluated by the facts of now."""
    vm_object = vm(disk("was-good"))
    found = evaluate(
        {**vm_object, "metadata": {**vm_object["metadata"], "labels": {"x": "y"}}},
        [*OBJECTS, claim("was-good", RWO)],
        old=vm_object,
        operation="UPDATE",
    )
    assert preexisting(found) == {"was-good": True}


def test_a_template_that_now_makes_a_worse_pvc_is_denied() -> None:
    old = templated_vm("d", spec={"storage": {"storageClassName": "nas"}})
    new = templated_vm("d", spec={"storage": {"storageClassName": "nas", "accessModes": [RWO]}})
    assert preexisting(update(old, new)) == {"d": False}


def test_correcting_one_of_two_violations_is_admitted() -> None:
    found = update(vm(disk("once"), disk("once-block")), vm(disk("good"), disk("once-block")))
    assert found.allowed
    assert preexisting(found) == {"once-block": True}


def test_a_preexisting_violation_is_warned_about_as_one_of_before() -> None:
    found = update(vm(disk("once")), vm(disk("once")))
    (line,) = [line for line in found.warnings if "shared-access" in line]
    assert "pre-existing" in line


def test_a_preexisting_violation_is_no_warning_of_a_new_one() -> None:
    found = update(vm(disk("once")), vm(disk("once"), disk("once-block")))
    assert [("pre-existing" in line, '"once"' in line) for line in found.warnings] == [(True, True)]


@pytest.mark.parametrize(("before", "known"), [("None", True), ("LiveMigrateIfPossible", False)])
def test_a_strategy_is_known_by_its_value(before: str, known: bool) -> None:
    running = {"created": True}
    old = vm(disk("good"), evictionStrategy=before, status=running)
    new = vm(disk("good"), disk("good-block"), evictionStrategy="None", status=running)
    assert preexisting(update(old, new)) == {None: known}


def test_a_rule_about_the_whole_vm_is_known_by_its_name() -> None:
    old = vm(domain={"features": {"hypervPassthrough": {}}})
    new = vm(domain={"features": {"hypervPassthrough": {"enabled": True}}})
    assert preexisting(update(old, new)) == {None: True}


def test_a_rule_about_the_whole_vm_that_was_not_broken_denies() -> None:
    running = {"created": True}
    old = vm(disk("good"), evictionStrategy="LiveMigrate", status=running)
    new = vm(disk("good"), evictionStrategy="None", status=running)
    assert preexisting(update(old, new)) == {None: False}


def test_a_pvc_is_no_excuse_for_a_second_volume_while_the_first_is_there() -> None:
    old = vm(disk("once", "a"))
    new = vm(disk("once-too", "a"), disk("once", "b"))
    found = update(old, new)
    assert not found.allowed
    assert preexisting(found) == {"a": True, "b": False}


def test_two_volumes_that_swap_their_pvcs_are_preexisting() -> None:
    old = vm(disk("once", "a"), disk("once-too", "b"))
    assert preexisting(update(old, vm(disk("once-too", "a"), disk("once", "b")))) == {"a": True, "b": True}


def test_a_renamed_volume_is_preexisting_by_its_pvc_alone() -> None:
    found = update(vm(disk("once", "a")), vm(disk("once", "b"), disk("once-too", "c")))
    assert preexisting(found) == {"b": True, "c": False}


def test_a_renamed_volume_is_preexisting_for_the_rule_that_it_broke_alone() -> None:
    """The PVC of before is the PVC of now, so it breaks no other rule but where the volume does."""
    old = vm({"name": "a", "ephemeral": {"persistentVolumeClaim": {"claimName": "once"}}})
    assert preexisting(update(old, vm(disk("once", "b")))) == {"b": False}


@pytest.mark.parametrize("value", [5, False, [], ["None"], {"a": 1}], ids=repr)
def test_a_strategy_that_is_no_word_is_an_explicit_other_one(value: object) -> None:
    running = {"created": True}
    old = vm(disk("good"), evictionStrategy="LiveMigrate", status=running)
    new = vm(disk("good"), evictionStrategy=value, status=running)
    assert preexisting(update(old, new)) == {None: False}
    assert preexisting(update(new, {**new, "metadata": {"name": "x", "namespace": "vms"}})) == {None: True}
