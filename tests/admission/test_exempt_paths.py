"""Every path by which a bad disk can come, with and without an exemption."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from tests.build import Object, disk, vm, vmi, volume_request
from tests.build_paths import ALICE, APISERVER, CONTROLLER, Answer, ask, exempt, known_as, owned, pool, replica_set

Test = TypeVar("Test", bound=Callable[..., None])
DEVICE = {"devices": {"hostDevices": [{"name": "nic", "deviceName": "intel.com/nic"}]}}
WORDS = {
    "shared-access": 'claim "once" is ReadWriteOnce, not ReadWriteMany',
    "san-block": 'claim "san-fs" is in Filesystem mode on ontap-san',
    "host-devices": 'host device "nic"',
    "exemption": '"alice" may not set "exempt.migratability.io/all"',
}
OF_KUBEVIRT = {**WORDS, "exemption": '"exempt.migratability.io/all" would come with a machine that KubeVirt makes'}
"""The words where KubeVirt writes: nobody is asked for the right."""
MAKERS: dict[str, Callable[..., Object]] = {
    "VirtualMachine": vm,
    "instance": vmi,
    "ReplicaSet": replica_set,
    "Pool": pool,
}
TEMPLATES: dict[str, tuple[str, ...]] = {
    "VirtualMachine": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Pool": ("spec", "virtualMachineTemplate"),
}


@dataclass(frozen=True)
class Fault:
    """What makes a machine bad; ``rule`` None where nothing does."""

    rule: str | None
    volumes: tuple[Object, ...] = ()
    fields: Any = None

    def in_a(self, make: Callable[..., Object], **fields: Any) -> Object:
        """Return a machine with it beside a good disk."""
        return make(disk("good"), *self.volumes, **(self.fields or {}), **fields)


FAULTS = {
    "good": Fault(None, (disk("good-block"),)),
    "ReadWriteOnce": Fault("shared-access", (disk("once"),)),
    "SAN Filesystem": Fault("san-block", (disk("san-fs"),)),
    "missing claim": Fault(None, (disk("absent"),)),
    "host device": Fault("host-devices", (), {"domain": DEVICE}),
}
OF_DISKS = {name: fault for name, fault in FAULTS.items() if fault.volumes}
WAYS = ("no exemption", "exempt", "expired", "exempt without the right", "label in the template", "forged owner")
EXEMPT_POOL = exempt(pool(disk("once"), name="owner"))


def marked_as(way: str, kind: str, obj: Object) -> Object:
    """Return an object as somebody writes it who wants it exempt in this way."""
    if way == "expired":
        return exempt(obj, value="2020-01-01")
    if way == "label in the template":
        return exempt(obj, *TEMPLATES.get(kind, ()))
    if way == "forged owner":
        return owned(obj, EXEMPT_POOL)
    return obj if way == "no exemption" else exempt(obj)


def due(way: str, fault: Fault, kind: str, new: bool) -> set[str]:
    """Return the rules that must refuse; ``new`` says that the fault was not there before."""
    may = {"exempt without the right": False, "label in the template": kind in TEMPLATES}
    waived = way == "exempt" or (way == "label in the template" and kind not in TEMPLATES)
    found = {fault.rule} if fault.rule and new and not waived else set()
    return found | (set() if may.get(way, True) else {"exemption"})


def check(found: Answer, rules: set[str], words: dict[str, str] = WORDS) -> None:
    """Compare an answer with the rules that must refuse, and their words."""
    assert set(found.rules) == rules
    assert found.allowed is not bool(rules)
    assert [rule for rule in rules if words[rule] not in found.message] == []


def table(*columns: dict[str, Any] | tuple[str, ...]) -> Callable[[Test], Test]:
    """Return a decorator that runs a test over every combination."""

    def decorate(test: Test) -> Test:
        for name, column in zip(("kind", "fault", "way"), columns, strict=True):
            test = pytest.mark.parametrize(name, list(column))(test)
        return test

    return decorate


@table(MAKERS, FAULTS, WAYS)
def test_on_a_creation(kind: str, fault: str, way: str) -> None:
    obj = marked_as(way, kind, FAULTS[fault].in_a(MAKERS[kind]))
    may = () if "without" in way else (ALICE,)
    found = ask(obj, None, EXEMPT_POOL, may=may)
    rules = due(way, FAULTS[fault], kind, new=True) - ({"exemption"} if may else set())
    check(found, rules)
    assert any("[claim-known]" in line for line in found.warnings) is (fault == "missing claim")


@table(MAKERS, FAULTS, WAYS)
def test_on_an_update_of_a_good_machine(kind: str, fault: str, way: str) -> None:
    """Where somebody has the right the label was there, else it comes with the fault."""
    make, may = MAKERS[kind], () if "without" in way else (ALICE,)
    old = make(disk("good"))
    old = old if "without" in way else marked_as(way, kind, old)
    found = ask(marked_as(way, kind, FAULTS[fault].in_a(make)), old, EXEMPT_POOL, may=may)
    check(found, due(way, FAULTS[fault], kind, new=True) - ({"exemption"} if may else set()))


@table(MAKERS, FAULTS, WAYS)
def test_on_an_update_of_a_bad_machine_nothing_gets_stuck(kind: str, fault: str, way: str) -> None:
    make, may = MAKERS[kind], () if "without" in way else (ALICE,)
    old, new = FAULTS[fault].in_a(make), FAULTS[fault].in_a(make, hostname="renamed")
    old = old if "without" in way else marked_as(way, kind, old)
    found = ask(marked_as(way, kind, new), old, EXEMPT_POOL, may=may)
    check(found, due(way, FAULTS[fault], kind, new=False) - ({"exemption"} if may else set()))


def hot_plug(fault: Fault) -> tuple[Object, Object, str]:
    """Return what ``virtctl addvolume`` makes KubeVirt write: old, new, subresource."""
    requests = [volume_request(volume) for volume in fault.volumes]
    return vm(disk("good")), vm(disk("good"), status={"volumeRequests": requests}), "status"


def declarative(fault: Fault) -> tuple[Object, Object, str]:
    return vm(disk("good")), fault.in_a(vm), ""


def bare(fault: Fault) -> tuple[Object, Object, str]:
    return vmi(disk("good")), fault.in_a(vmi), ""


STEERED = {"hot-plug": hot_plug, "declarative hot-plug": declarative, "hot-plug of an instance": bare}
BEARERS = ("no exemption", "exempt", "expired", "label comes with the write")


@table(STEERED, OF_DISKS, BEARERS)
def test_of_what_a_user_makes_kubevirt_write(kind: str, fault: str, way: str) -> None:
    """KubeVirt's account holds every right, so only a label that was there counts, and it may bring none."""
    found_fault = OF_DISKS[fault]
    old, new, subresource = STEERED[kind](found_fault)
    value = "2020-01-01" if way == "expired" else "true"
    before = exempt(old, value=value) if way in ("exempt", "expired") else old
    after = new if way == "no exemption" else exempt(new, value=value)
    found = ask(after, before, user=APISERVER, may=(APISERVER,), subresource=subresource)
    rules = {found_fault.rule} if found_fault.rule and way != "exempt" else set()
    brought = way == "label comes with the write" and kind != "hot-plug of an instance"
    check(found, rules | ({"exemption"} if brought else set()), OF_KUBEVIRT)
    assert found.asked == []


OWNED_BY = ("no exemption", "exempt", "expired", "label in the template", "label on the machine")


def of_owner(way: str, owner: Object) -> Object:
    kind = "Pool" if owner["kind"] == "VirtualMachinePool" else "VirtualMachine"
    return owner if way == "label on the machine" else marked_as(way, kind, owner)


def called(name: str, obj: Object) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "name": name}}


@table(("machine of a Pool", "hot-plug of its machine", "hot-plug of an instance"), OF_DISKS, OWNED_BY)
def test_of_what_kubevirt_makes_for_an_owner(kind: str, fault: str, way: str) -> None:
    """The labels of the owner count, not those in its template, nor those on what is made.

    KubeVirt copies those in the template, which needed the right there; a machine of a Pool may have no other.
    """
    found_fault, old, subresource = OF_DISKS[fault], None, ""
    if kind == "hot-plug of an instance":
        owner = of_owner(way, known_as(vm(disk("good"))))
        old, new = owned(vmi(disk("good")), owner), owned(found_fault.in_a(vmi), owner)
    else:
        owner = of_owner(way, pool(disk("good")))
        new = called("pool-0", owned(found_fault.in_a(vm), owner))
        if kind == "hot-plug of its machine":
            old, new, subresource = (*hot_plug(found_fault),)
            old, new = (called("pool-0", owned(obj, owner)) for obj in (old, new))
    if way in ("label on the machine", "label in the template"):
        new = exempt(new)
    found = ask(new, old, owner, user=CONTROLLER, may=(CONTROLLER,), subresource=subresource)
    rules = {found_fault.rule} if found_fault.rule and way != "exempt" else set()
    brought = way == "label on the machine" and kind != "hot-plug of an instance"
    check(found, rules | ({"exemption"} if brought else set()), OF_KUBEVIRT)
    assert found.asked == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("owner", "name"),
    [("VirtualMachine", "db"), ("ReplicaSet", "web7k2fw"), ("ReplicaSet", "named-by-the-template7k2fw")],
)
def test_an_instance_that_kubevirt_makes_for_an_owner_starts_whatever_it_holds(
    owner: str, name: str, fault: str
) -> None:
    bearer = known_as(FAULTS[fault].in_a(MAKERS[owner]))
    made = called(name, owned(FAULTS[fault].in_a(vmi), bearer))
    assert ask(made, None, bearer, user=CONTROLLER).allowed


NOT_SO_MADE = [
    ("an instance named other than its VirtualMachine", "VirtualMachine", vmi, "other"),
    ("a machine that a Pool does not number", "Pool", vm, "pool-x"),
    ("a machine that a Pool numbers twice", "Pool", vm, "pool-1-1"),
    ("a machine with the Pool's name", "Pool", vm, "pool"),
    ("an instance of a Pool", "Pool", vmi, "pool-0"),
    ("a machine of a VirtualMachine", "VirtualMachine", vm, "db"),
    ("a machine of a ReplicaSet", "ReplicaSet", vm, "web7k2fw"),
]


@pytest.mark.parametrize(
    ("owner", "make", "name"), [row[1:] for row in NOT_SO_MADE], ids=[row[0] for row in NOT_SO_MADE]
)
def test_what_kubevirt_does_not_make_like_that_is_judged_without_its_owner(
    owner: str, make: Callable[..., Object], name: str
) -> None:
    """The patches of a restore can put an ownerReference into whatever it makes."""
    fault = FAULTS["ReadWriteOnce"]
    bearer = exempt(known_as(fault.in_a(MAKERS[owner])))
    made = called(name, owned(fault.in_a(make), bearer))
    check(ask(made, None, bearer, user=CONTROLLER), {"shared-access"})
