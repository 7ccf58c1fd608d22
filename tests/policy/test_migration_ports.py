"""migration-ports: forwarded ports that a migration itself needs."""

import pytest

from tests.build import Object, vm
from tests.build_facts import preference
from tests.policy.samples import interface, rules, verdict

RULE = "migration-ports"


def forwarding(*ports: object) -> Object:
    return vm(**interface(masquerade={}, ports=[{"port": port} for port in ports]))


LISTS: list[tuple[tuple[object, ...], str | None]] = [
    ((), None),
    ((22, 443), None),
    ((49152,), "49152"),
    ((49153,), "49153"),
    ((22, 49153, 49152), "49152 and 49153"),
    ((49152, 49152), "49152"),
    ((49151, 49154), None),
    (("49152",), None),
    ((None, {}, []), None),
]


@pytest.mark.parametrize(("ports", "named"), LISTS, ids=[repr(row[0]) for row in LISTS])
def test_a_port_list_with_a_port_of_the_migration(ports: tuple[object, ...], named: str | None) -> None:
    found = verdict(forwarding(*ports)).violations
    assert [violation.rule for violation in found] == ([RULE] if named else [])
    assert all(violation.what.endswith(f"contains {named}") for violation in found)


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
def test_the_protocol_of_a_port_does_not_matter(protocol: str) -> None:
    assert rules(vm(**interface(masquerade={}, ports=[{"port": 49152, "protocol": protocol}]))) == [RULE]


@pytest.mark.parametrize("ports", [None, "49152", {"port": 49152}, [49152]], ids=repr)
def test_a_port_list_of_the_wrong_shape_contains_nothing(ports: object) -> None:
    assert rules(vm(**interface(masquerade={}, ports=ports))) == []


def test_a_vm_without_a_port_list_forwards_all_but_those_of_the_migration() -> None:
    assert rules(vm(**interface(masquerade={}))) == []


@pytest.mark.parametrize("binding", [{"bridge": {}}, {"slirp": {}}], ids=repr)
def test_only_masquerade_takes_ports_from_the_pod(binding: Object) -> None:
    assert rules(vm(**interface(**binding, ports=[{"port": 49152}]))) == ["pod-network"]


def test_the_ports_of_an_interface_elsewhere_do_not_matter() -> None:
    vm_object = forwarding(49152)
    vm_object["spec"]["template"]["spec"]["networks"] = [{"name": "default", "multus": {"networkName": "x"}}]
    assert rules(vm_object) == []


def test_the_masquerade_of_the_preference_counts() -> None:
    vm_object = vm(spec={"preference": {"name": "p"}}, **interface(ports=[{"port": 49152}]))
    assert rules(vm_object, preference("p", devices={"preferredInterfaceMasquerade": {}})) == [RULE]


def test_one_port_for_another_is_preexisting() -> None:
    assert verdict(forwarding(49152, 22), old=forwarding(49153), rules={RULE: "deny"}).allowed
