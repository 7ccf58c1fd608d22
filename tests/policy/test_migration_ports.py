"""migration-ports: forwarded ports that a migration needs for itself."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.build import Object, vm, vmi
from tests.build_facts import preference
from tests.policy.samples import interface, verdict

RULE = "migration-ports"
PORTS = "domain.devices.interfaces[0].ports"


def forwarding(*ports: object, **binding: Any) -> Object:
    return vm(**interface(**(binding or {"masquerade": {}}), ports=[{"port": port} for port in ports]))


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
    assert all(f"contains {named}" in violation.message for violation in found)


@pytest.mark.parametrize("protocol", ["TCP", "UDP", None])
def test_the_protocol_of_a_port_does_not_matter(protocol: str | None) -> None:
    vm_object = vm(**interface(masquerade={}, ports=[{"port": 49152, "protocol": protocol}]))
    assert [found.rule for found in verdict(vm_object).violations] == [RULE]


@pytest.mark.parametrize("ports", [None, "49152", {"port": 49152}, [49152]], ids=repr)
def test_a_port_list_of_the_wrong_shape_holds_nothing(ports: object) -> None:
    assert verdict(vm(**interface(masquerade={}, ports=ports))).violations == []


def test_a_vm_without_a_port_list_forwards_all_but_those_of_the_migration() -> None:
    assert verdict(vm(**interface(masquerade={}))).violations == []


@pytest.mark.parametrize("binding", ["bridge", "slirp"])
def test_only_masquerade_takes_ports_from_the_pod(binding: str) -> None:
    assert [found.rule for found in verdict(forwarding(49152, **{binding: {}})).violations] == ["pod-network"]


def test_the_ports_of_an_interface_elsewhere_are_no_matter() -> None:
    vm_object = forwarding(49152)
    vm_object["spec"]["template"]["spec"]["networks"] = [{"name": "default", "multus": {"networkName": "x"}}]
    assert verdict(vm_object).violations == []


def test_the_masquerade_of_the_preference_counts() -> None:
    vm_object = vm(spec={"preference": {"name": "p"}}, **interface(ports=[{"port": 49152}]))
    preferring = preference("p", devices={"preferredInterfaceMasquerade": {}})
    assert [found.rule for found in verdict(vm_object, preferring).violations] == [RULE]


@pytest.mark.parametrize("make", [vm, vmi], ids=["VirtualMachine", "instance"])
def test_the_violation_says_where_what_and_why(make: Callable[..., Object]) -> None:
    (found,) = verdict(make(**interface(masquerade={}, ports=[{"port": 49152}]))).violations
    root = "spec.template.spec" if make is vm else "spec"
    assert (found.reason, found.volume, found.field) == (None, None, f"{root}.{PORTS}")
    assert "fails" in found.message


def test_it_is_admitted_with_a_warning_and_protected() -> None:
    found = verdict(forwarding(49152))
    assert found.allowed
    assert any(RULE in line for line in found.warnings)
    assert [operation["value"] for operation in found.patch] == ["LiveMigrate"]


def test_the_rule_denies_where_the_settings_say_so_but_for_what_was_there() -> None:
    assert not verdict(forwarding(49152), rules={RULE: "deny"}).allowed
    assert verdict(forwarding(49152, 22), old=forwarding(49153), rules={RULE: "deny"}).allowed
