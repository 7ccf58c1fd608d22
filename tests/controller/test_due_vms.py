"""Which unverified VMs the leader evaluates, and when again."""

from dataclasses import replace

import pytest

from tests.build import RWO
from webhook.cluster.facts import ClaimFacts
from webhook.controller.late_pvcs import Evaluation, Key, due

KEY: Key = ("VirtualMachine", "vms", "db")
NAMES = frozenset({"claim/a", "claim/b"})
FACTS = ClaimFacts(access_modes=(RWO,), volume_mode="Filesystem", storage_class="nas", volume_name=None)
BOUND = replace(FACTS, volume_name="pv-1")
SEEN = Evaluation(at=90.0, present={"claim/a": FACTS}, until=101.0)
DUE: dict[str, tuple[dict[tuple[str, str], ClaimFacts], Evaluation | None, float, bool]] = {
    "a PVC appeared": ({("vms", "a"): FACTS}, None, 100.0, True),
    "there is no PVC": ({}, None, 100.0, False),
    "the PVC is in another namespace": ({("other", "a"): FACTS}, None, 100.0, False),
    "the PVC was evaluated": ({("vms", "a"): FACTS}, SEEN, 100.0, False),
    "the PVC was evaluated a while ago": ({("vms", "a"): FACTS}, SEEN, 101.0, True),
    "the PVC has changed since": ({("vms", "a"): BOUND}, SEEN, 100.0, True),
    "another PVC appeared since": ({("vms", "a"): FACTS, ("vms", "b"): FACTS}, SEEN, 100.0, True),
    "the PVC was deleted": ({}, SEEN, 101.0, False),
}


@pytest.mark.parametrize(("pvcs", "last", "now", "expected"), DUE.values(), ids=DUE)
def test_whether_a_vm_is_due_when(
    pvcs: dict[tuple[str, str], ClaimFacts], last: Evaluation | None, now: float, expected: bool
) -> None:
    assert bool(due({KEY: NAMES}, pvcs.get, {KEY: last} if last else {}, now)) is expected


def test_an_instancetype_counts_as_present_since_it_is_not_watched() -> None:
    vms = {KEY: frozenset({"instancetype/large"})}
    assert due(vms, lambda _: None, {}, 0.0) == [(KEY, {"instancetype/large": None})]
    evaluated = {KEY: Evaluation(0.0, {"instancetype/large": None}, 10.0)}
    assert due(vms, lambda _: None, evaluated, 5.0) == []


def test_vms_that_stay_unverified_delay_no_others() -> None:
    vms = {("VirtualMachine", "vms", f"m{number}"): NAMES for number in range(35)}
    pvcs, last = {("vms", "a"): FACTS}, dict[Key, Evaluation]()
    for now in range(4):
        last |= {key: Evaluation(now, present, until=0.0) for key, present in due(vms, pvcs.get, last, now)}
    assert set(last) == set(vms)
    assert [last[key].at for key, _ in due(vms, pvcs.get, last, 5.0)] == [0.0] * 5 + [1.0] * 5
