"""The start of a VM is evaluated on what its mark names, and on nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.build import RWO, RWX, Object, claim, data_volume, disk, vm, vmi
from tests.build_paths import (
    CONTROLLER,
    REASON,
    Answer,
    ask,
    exempt,
    known_as,
    namespace,
    owned,
    replica_set,
    with_annotation,
)
from webhook.admission.handler import mutate, validate

PREDICTED = "claim/later"
SHARED, ONCE, ON_SAN = claim("later", RWX), claim("later", RWO), claim("later", RWX, storage_class="san")
OWNER = known_as(vm(disk("good"), disk("later")))
INSTANCE = owned(vmi(disk("good"), disk("later")), OWNER)


def start(instance: Object, *objects: Object, owner: Object = OWNER, side: Callable[..., Any] = validate) -> Answer:
    """Return the answer when kubevirt-controller creates a VMI for its owner."""
    return ask(instance, None, owner, *objects, user=CONTROLLER, side=side)


STARTS = [
    ("is not there", (), ["claim-known"]),
    ("is shared", (SHARED,), []),
    ("is ReadWriteOnce", (ONCE,), ["shared-access"]),
    ("is a filesystem on SAN", (ON_SAN,), ["san-block"]),
    (
        "is only predicted",
        (data_volume("later", storage={"storageClassName": "nas", "accessModes": [RWX]}),),
        ["claim-known"],
    ),
]


@pytest.mark.parametrize(("objects", "rules"), [row[1:] for row in STARTS], ids=[row[0] for row in STARTS])
def test_a_marked_vmi_starts_only_where_its_pvc(objects: tuple[Object, ...], rules: list[str]) -> None:
    found = start(with_annotation(INSTANCE, PREDICTED), *objects)
    assert (found.rules, found.allowed) == (rules, rules == [])


def test_an_vmi_without_the_mark_starts_whatever_it_mounts() -> None:
    assert start(INSTANCE, ONCE).allowed
    assert start(INSTANCE).allowed


def test_the_start_is_evaluated_on_marked_things_alone() -> None:
    old = known_as(vm(disk("once"), disk("later")))
    instance = with_annotation(
        owned(vmi(disk("once"), disk("later"), domain={"devices": {"hostDevices": [{}]}}), old), PREDICTED
    )
    assert start(instance, SHARED, owner=old).allowed
    assert start(instance, ONCE, owner=old).rules == ["shared-access"]


def test_after_a_missing_instancetype_all_that_it_can_bring_is_evaluated() -> None:
    device = {"devices": {"hostDevices": [{"name": "nic", "deviceName": "intel.com/nic"}]}}
    owner = known_as(vm(disk("once"), spec={"instancetype": {"name": "large"}}))
    bad = with_annotation(owned(vmi(disk("once"), domain=device), owner), "instancetype/large")
    assert start(bad, owner=owner).rules == ["host-devices"]
    assert start(with_annotation(owned(vmi(disk("once")), owner), "instancetype/large"), owner=owner).allowed


EXEMPTIONS = [("true", "2026-11-01", True), ("2020-01-31", "2020-01-31", True), ("2020-01-31", "2020-02-01", False)]


@pytest.mark.parametrize(("value", "made_on", "starts"), EXEMPTIONS, ids=["in force", "made before it ended", "after"])
def test_an_exemption_of_the_owner_lets_it_start_with_pvcs_from_before_its_end(
    value: str, made_on: str, starts: bool
) -> None:
    owner = exempt(OWNER, rule="shared-access", value=value, reason=REASON)
    made = {**ONCE, "metadata": {**ONCE["metadata"], "creationTimestamp": f"{made_on}T10:00:00Z"}}
    assert start(with_annotation(INSTANCE, PREDICTED), made, owner=owner).allowed is starts
    assert start(with_annotation(INSTANCE, PREDICTED), ON_SAN, owner=owner).rules == ["san-block"]


def test_what_stands_in_the_vm_itself_was_evaluated_with_it() -> None:
    device = {"devices": {"hostDevices": [{"name": "nic", "deviceName": "intel.com/nic"}]}}
    owner = known_as(vm(disk("good"), spec={"preference": {"name": "win"}}, domain=device))
    instance = with_annotation(owned(vmi(disk("good"), domain=device), owner), "preference/win")
    assert start(instance, owner=owner).allowed


def test_a_users_annotation_in_the_template_does_not_keep_the_start_from_being_evaluated() -> None:
    restored = {**INSTANCE["metadata"], "annotations": {"restore.kubevirt.io/lastRestoreUID": "x"}}
    assert start(with_annotation({**INSTANCE, "metadata": restored}, PREDICTED)).rules == ["claim-known"]


def test_an_exemption_on_the_vmi_itself_does_not_count() -> None:
    assert start(with_annotation(exempt(INSTANCE), PREDICTED), ONCE).rules == ["shared-access"]


def test_in_a_namespace_that_only_warns_it_starts() -> None:
    assert start(with_annotation(INSTANCE, PREDICTED), ONCE, namespace(enforcement="warn")).allowed


def test_with_the_rule_off_a_pvc_that_is_not_there_keeps_nothing_from_starting() -> None:
    settings = {"rules": {"claim-known": "off"}}
    found = ask(with_annotation(INSTANCE, PREDICTED), None, OWNER, user=CONTROLLER, settings=settings)
    assert found.allowed


def test_the_vmi_of_a_replica_set_is_evaluated_by_its_mark_too() -> None:
    owner = replica_set(disk("later"))
    instance = with_annotation(owned(vmi(disk("later"), name="web-x"), owner), PREDICTED)
    assert start(instance, ONCE, owner=owner).rules == ["shared-access"]


def test_the_mark_that_an_vmi_brings_stays_while_its_strategy_is_set() -> None:
    found = start(with_annotation(INSTANCE, PREDICTED, "claim/good"), SHARED, side=mutate)
    assert [operation["path"] for operation in found.patch] == ["/spec/evictionStrategy"]


def test_nobody_but_kubevirt_starts_an_vmi_for_an_owner() -> None:
    """What somebody else creates is evaluated whole."""
    found = ask(with_annotation(owned(vmi(disk("once"), disk("later")), OWNER), PREDICTED), None, OWNER, SHARED)
    assert found.rules == ["shared-access"]
