"""Which unverified VMs the leader evaluates, and when again."""

import pytest

from tests.build import RWO
from webhook.cluster.facts import ClaimFacts
from webhook.controller.late_pvcs import Evaluation, Key, due

KEY: Key = ("VirtualMachine", "vms", "db")
NAMES = frozenset({"claim/a", "claim/b"})
FACTS = ClaimFacts(access_modes=(RWO,), volume_mode="Filesystem", storage_class="nas", volume_name=None)
BOUND = ClaimFacts(access_modes=(RWO,), volume_mode="Filesystem", storage_class="nas", volume_name="pv-1")


def is_due(pvcs: dict[tuple[str, str], ClaimFacts], last: Evaluation | None = None, now: float = 100.0) -> bool:
    """Return whether the VM is due."""
    return bool(due({KEY: NAMES}, pvcs.get, {KEY: last} if last else {}, now))


SEEN = Evaluation(at=90.0, present={"claim/a": FACTS}, until=101.0)
DUE: list[tuple[str, dict[tuple[str, str], ClaimFacts], Evaluation | None, bool]] = [
    ("a PVC is there, for the first time", {("vms", "a"): FACTS}, None, True),
    ("none is there", {}, None, False),
    ("one is there in another namespace", {("other", "a"): FACTS}, None, False),
    ("it was evaluated", {("vms", "a"): FACTS}, SEEN, False),
    ("it has changed since", {("vms", "a"): BOUND}, SEEN, True),
    ("another appeared since", {("vms", "a"): FACTS, ("vms", "b"): FACTS}, SEEN, True),
    ("it is gone", {}, SEEN, False),
]


@pytest.mark.parametrize(("pvcs", "last", "expected"), [row[1:] for row in DUE], ids=[row[0] for row in DUE])
def test_a_vm_is_due_when(pvcs: dict[tuple[str, str], ClaimFacts], last: Evaluation | None, expected: bool) -> None:
    assert is_due(pvcs, last) is expected


def test_a_vm_that_stays_unverified_is_due_again_after_a_while_unless_nothing_is_there() -> None:
    assert is_due({("vms", "a"): FACTS}, SEEN, now=101.0)
    assert not is_due({}, SEEN, now=101.0)


def test_an_instancetype_is_taken_to_be_there_since_nobody_watches_it() -> None:
    vms = {KEY: frozenset({"instancetype/large"})}
    assert due(vms, lambda _: None, {}, 0.0) == [(KEY, {"instancetype/large": None})]
    evaluated = {KEY: Evaluation(0.0, {"instancetype/large": None}, 10.0)}
    assert due(vms, lambda _: None, evaluated, 5.0) == []


def test_vms_that_cannot_be_cleared_hold_up_no_others() -> None:
    vms = {("VirtualMachine", "vms", f"m{number}"): NAMES for number in range(35)}
    pvcs, last = {("vms", "a"): FACTS}, dict[Key, Evaluation]()
    for now in range(4):
        last |= {key: Evaluation(now, present, until=0.0) for key, present in due(vms, pvcs.get, last, now)}
    assert set(last) == set(vms)
    assert [last[key].at for key, _ in due(vms, pvcs.get, last, 5.0)] == [0.0] * 5 + [1.0] * 5
