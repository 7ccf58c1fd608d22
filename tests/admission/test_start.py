"""The start of a VM is evaluated on what its annotation names, and on nothing else."""

from typing import Any

import pytest

from tests.build import RWO, RWX, Object, claim, data_volume, disk, vm, vmi
from tests.build_paths import (
    ALICE,
    CONTROLLER,
    REASON,
    ask,
    exempt,
    known_as,
    namespace,
    owned,
    replica_set,
    tagged,
    with_annotation,
)
from webhook.admission.handler import mutate

LATER = "claim/later"
SHARED, ONCE, ON_SAN = claim("later", RWX), claim("later", RWO), claim("later", RWX, storage_class="san")
OWNER, SET = known_as(vm(disk("good"), disk("later"))), replica_set(disk("later"))
OLD = known_as(vm(disk("once"), disk("later")))
DEVICE = {"devices": {"hostDevices": [{"name": "nic", "deviceName": "intel.com/nic"}]}}
LARGE = known_as(vm(disk("once"), spec={"instancetype": {"name": "large"}}))
WIN = known_as(vm(disk("good"), spec={"preference": {"name": "win"}}, domain=DEVICE))


def starting(owner: Object, *volumes: Object, name: str = LATER, **fields: Any) -> Object:
    """Return an owned VMI whose annotation has a name."""
    return with_annotation(owned(vmi(*volumes, **fields), owner), name)


INSTANCE = starting(OWNER, disk("good"), disk("later"))
UNNAMED = owned(vmi(disk("good"), disk("later")), OWNER)
OF_OLD = starting(OLD, disk("once"), disk("later"), domain=DEVICE)
RESTORED = tagged(INSTANCE, annotations={"restore.kubevirt.io/lastRestoreUID": "x"})
PREDICTED = data_volume("later", storage={"storageClassName": "nas", "accessModes": [RWX]})
STARTS: dict[str, tuple[Object, list[Object], list[str]]] = {
    "its PVC is not there": (INSTANCE, [OWNER], ["claim-known"]),
    "its PVC is shared": (INSTANCE, [OWNER, SHARED], []),
    "its PVC is ReadWriteOnce": (INSTANCE, [OWNER, ONCE], ["shared-access"]),
    "its PVC is a filesystem on SAN": (INSTANCE, [OWNER, ON_SAN], ["san-block"]),
    "its PVC is only predicted": (INSTANCE, [OWNER, PREDICTED], ["claim-known"]),
    "nothing is named and its PVC is bad": (UNNAMED, [OWNER, ONCE], []),
    "nothing is named and its PVC is not there": (UNNAMED, [OWNER], []),
    "what is not named is bad": (OF_OLD, [OLD, SHARED], []),
    "what is named is bad too": (OF_OLD, [OLD, ONCE], ["shared-access"]),
    "a missing instancetype added a device": (
        starting(LARGE, disk("once"), name="instancetype/large", domain=DEVICE),
        [LARGE],
        ["host-devices"],
    ),
    "a missing instancetype added nothing": (starting(LARGE, disk("once"), name="instancetype/large"), [LARGE], []),
    "a missing preference beside the VM's own device": (
        starting(WIN, disk("good"), name="preference/win", domain=DEVICE),
        [WIN],
        [],
    ),
    "its user annotates it as restored": (RESTORED, [OWNER], ["claim-known"]),
    "the VMI itself is exempt": (exempt(INSTANCE), [OWNER, ONCE], ["shared-access"]),
    "its namespace only warns": (INSTANCE, [OWNER, ONCE, namespace(enforcement="warn")], []),
    "a VMI of a ReplicaSet": (starting(SET, disk("later")), [SET, ONCE], ["shared-access"]),
}


@pytest.mark.parametrize(("instance", "objects", "rules"), STARTS.values(), ids=STARTS)
def test_which_rules_deny_a_start(instance: Object, objects: list[Object], rules: list[str]) -> None:
    found = ask(instance, None, *objects, user=CONTROLLER)
    assert (found.rules, found.allowed) == (rules, rules == [])


EXEMPTIONS = [("true", "2026-11-01", True), ("2020-01-31", "2020-01-31", True), ("2020-01-31", "2020-02-01", False)]


@pytest.mark.parametrize(("value", "made_on", "starts"), EXEMPTIONS, ids=["in force", "made before it ended", "after"])
def test_the_owners_exemption_covers_pvcs_from_before_its_end(value: str, made_on: str, starts: bool) -> None:
    owner = exempt(OWNER, rule="shared-access", value=value, reason=REASON)
    created = {**ONCE, "metadata": {**ONCE["metadata"], "creationTimestamp": f"{made_on}T10:00:00Z"}}
    assert ask(INSTANCE, None, owner, created, user=CONTROLLER).allowed is starts
    assert ask(INSTANCE, None, owner, ON_SAN, user=CONTROLLER).rules == ["san-block"]


def test_with_the_rule_off_a_pvc_that_is_not_there_does_not_deny_the_start() -> None:
    assert ask(INSTANCE, None, OWNER, user=CONTROLLER, settings={"rules": {"claim-known": "off"}}).allowed


def test_the_annotation_of_a_starting_vmi_stays_while_its_strategy_is_set() -> None:
    instance = with_annotation(INSTANCE, LATER, "claim/good")
    found = ask(instance, None, OWNER, SHARED, user=CONTROLLER, side=mutate)
    assert [operation["path"] for operation in found.patch] == ["/spec/evictionStrategy"]


def test_a_vmi_that_a_user_creates_with_an_owner_is_evaluated_whole() -> None:
    assert ask(starting(OWNER, disk("once"), disk("later")), None, OWNER, SHARED, user=ALICE).rules == ["shared-access"]
