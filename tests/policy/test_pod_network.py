"""pod-network: an address on the pod network that does not move with the VM."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.build import CLUSTER, Object, disk, kubevirt, vm, vmi
from tests.build_facts import instancetype, preference
from tests.policy.samples import devices, interface
from webhook import Verdict, evaluate

RULE = "pod-network"
ALLOW = "kubevirt.io/allow-pod-bridge-network-live-migration"
INTERFACES = "spec.template.spec.domain.devices.interfaces"
VERSIONS = ["v1.5.3", "v1.6.6", "v1.7.1", "v1.8.4", "v1.9.0"]


def verdict(
    vm_object: Object, *objects: Object, version: str | None = None, old: Object | None = None, **cr: Any
) -> Verdict:
    operation = "UPDATE" if old else "CREATE"
    return evaluate(vm_object, [*CLUSTER, kubevirt(version=version, **cr), *objects], old=old, operation=operation)


def rules(vm_object: Object, *objects: Object, version: str | None = None, **cr: Any) -> list[str]:
    return [found.rule for found in verdict(vm_object, *objects, version=version, **cr).violations]


def annotated(vm_object: Object, value: str = "true") -> Object:
    """Return a virtual VM whose template has the annotation that lets a bridge move."""
    template = vm_object["spec"]["template"]
    return {
        **vm_object,
        "spec": {**vm_object["spec"], "template": {**template, "metadata": {"annotations": {ALLOW: value}}}},
    }


BINDINGS: list[tuple[str, Object, dict[str, bool]]] = [
    ("masquerade", {"masquerade": {}}, dict.fromkeys(VERSIONS, True)),
    ("bridge", {"bridge": {}}, dict.fromkeys(VERSIONS, False)),
    ("passt of the core", {"passtBinding": {}}, {version: version >= "v1.7" for version in VERSIONS}),
    ("slirp", {"slirp": {}}, dict.fromkeys(VERSIONS, False)),
    ("macvtap", {"macvtap": {}}, dict.fromkeys(VERSIONS, False)),
    ("passt of old", {"passt": {}}, dict.fromkeys(VERSIONS, False)),
    ("SR-IOV", {"sriov": {}}, dict.fromkeys(VERSIONS, False)),
    ("unregistered plugin", {"binding": {"name": "nobodys"}}, dict.fromkeys(VERSIONS, False)),
    ("plugin without a name", {"binding": {}}, dict.fromkeys(VERSIONS, False)),
    ("no binding", {}, dict.fromkeys(VERSIONS, False)),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("binding", "moves"), [row[1:] for row in BINDINGS], ids=[row[0] for row in BINDINGS])
def test_a_binding_on_the_pod_network(binding: Object, moves: dict[str, bool], version: str) -> None:
    assert rules(vm(disk("good"), **interface(**binding)), version=version) == ([] if moves[version] else [RULE])


PLUGINS = [
    ("says how it migrates", {"migration": {"method": "link-refresh"}}, []),
    ("says that it migrates", {"migration": {}}, []),
    ("says nothing", {}, [RULE]),
    ("null", {"migration": None}, [RULE]),
    ("attachment alone", {"networkAttachmentDefinition": "x"}, [RULE]),
]


@pytest.mark.parametrize(("plugin", "expected"), [row[1:] for row in PLUGINS], ids=[row[0] for row in PLUGINS])
def test_a_plugin_moves_where_its_webhook_configuration_says_how(plugin: Object, expected: list[str]) -> None:
    network = {"binding": {"mine": plugin, "other": {"migration": {}}}}
    assert rules(vm(**interface(binding={"name": "mine"})), network=network) == expected


@pytest.mark.parametrize("value", ["true", "", "false"])
def test_the_annotation_lets_a_bridge_move_whatever_its_value(value: str) -> None:
    assert rules(annotated(vm(**interface(bridge={})), value)) == []


def test_the_annotation_on_an_vmi_lets_its_bridge_move() -> None:
    vm_object = vmi(**interface(bridge={}))
    vm_object["metadata"]["annotations"] = {ALLOW: "true"}
    assert rules(vm_object) == []


def test_the_annotation_on_the_virtual_vm_itself_does_not_reach_its_vmi() -> None:
    vm_object = vm(**interface(bridge={}))
    vm_object["metadata"]["annotations"] = {ALLOW: "true"}
    assert rules(vm_object) == [RULE]


@pytest.mark.parametrize("applied", [instancetype, preference])
def test_the_annotation_may_come_with_instancetype_or_preference(applied: Callable[..., Object]) -> None:
    vm_object = vm(spec={applied.__name__: {"name": "x"}}, **interface(bridge={}))
    assert rules(vm_object, applied("x", annotations={ALLOW: ""})) == []


def test_the_annotation_lets_nothing_but_a_bridge_move() -> None:
    assert rules(annotated(vm(**interface(slirp={})))) == [RULE]


SECONDARY = {"name": "net", "multus": {"networkName": "x"}}
NO_POD_NETWORK: list[tuple[str, Object]] = [
    ("a bridge elsewhere", {"networks": [SECONDARY], "domain": devices(interfaces=[{"name": "net", "bridge": {}}])}),
    ("SR-IOV elsewhere", {"networks": [SECONDARY], "domain": devices(interfaces=[{"name": "net", "sriov": {}}])}),
    ("networks without interfaces", {"networks": [{"name": "default", "pod": {}}]}),
    ("interfaces without networks", {"domain": devices(interfaces=[{"name": "default", "bridge": {}}])}),
    ("not attached", {"domain": devices(autoattachPodInterface=False)}),
]


@pytest.mark.parametrize("fields", [row[1] for row in NO_POD_NETWORK], ids=[row[0] for row in NO_POD_NETWORK])
def test_what_is_not_on_the_pod_network_is_no_matter(fields: Object) -> None:
    assert rules(vm(**fields), network={}) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pod_network_without_its_interface_is_a_reason_since_1_7(version: str) -> None:
    vm_object = vm(**{**interface("other", masquerade={}), "networks": [{"name": "default", "pod": {}}]})
    assert rules(vm_object, version=version) == ([RULE] if version >= "v1.7" else [])


DEFAULTS = [
    # what the KubeVirt CR says, broken
    ({}, True),
    ({"defaultNetworkInterface": "bridge"}, True),
    ({"defaultNetworkInterface": "slirp"}, True),
    ({"defaultNetworkInterface": "masquerade"}, False),
    ({"permitBridgeInterfaceOnPodNetwork": False}, True),
]


@pytest.mark.parametrize(("network", "broken"), DEFAULTS, ids=[repr(row[0]) for row in DEFAULTS])
def test_a_vm_that_names_no_network_has_the_default_of_kubevirt(network: Object, broken: bool) -> None:
    (found,) = verdict(vm(), network=network).violations if broken else (None,)
    assert rules(vm(), network=network) == ([RULE] if broken else [])
    assert found is None or found.field == INTERFACES


UNKNOWN_CR: list[tuple[str, Object, str]] = [
    ("the default interface", {}, "warn"),
    ("a plugin", interface(binding={"name": "mine"}), "warn"),
    ("a bridge", interface(bridge={}), "deny"),
    ("no binding", interface(), "deny"),
    ("no interface", {**interface("other", masquerade={}), "networks": [{"name": "default", "pod": {}}]}, "deny"),
]


@pytest.mark.parametrize(("fields", "action"), [row[1:] for row in UNKNOWN_CR], ids=[row[0] for row in UNKNOWN_CR])
def test_what_only_an_unknown_kubevirt_could_say_is_warned_about(fields: Object, action: str) -> None:
    without = [obj for obj in CLUSTER if obj["kind"] != "KubeVirt"]
    found = evaluate(vm(**fields), without)
    assert [(violation.rule, violation.action) for violation in found.violations] == [(RULE, action)]
    known = verdict(vm(**fields), network={})
    assert [violation.action for violation in known.violations] == ["deny"]


def test_the_violation_says_where_what_and_why() -> None:
    vm_object = vm(
        networks=[SECONDARY, {"name": "front", "pod": {}}],
        domain=devices(interfaces=[{"name": "net", "bridge": {}}, {"name": "front", "bridge": {}}]),
    )
    (found,) = verdict(vm_object).violations
    assert (found.rule, found.reason, found.action) == (RULE, "InterfaceNotLiveMigratable", "deny")
    assert (found.volume, found.field) == (None, f"{INTERFACES}[1]")
    assert '"front"' in found.message
    assert "bridge" in found.message
    assert "does not live-migrate" in found.message


def test_an_vmi_is_evaluated_at_its_own_path() -> None:
    (found,) = verdict(vmi(**interface(bridge={}))).violations
    assert found.field == "spec.domain.devices.interfaces[0]"


def test_a_pod_network_without_its_interface_is_evaluated_at_the_network() -> None:
    vm_object = vm(**{**interface("other", masquerade={}), "networks": [SECONDARY, {"name": "default", "pod": {}}]})
    (found,) = verdict(vm_object).violations
    assert found.field == "spec.template.spec.networks[1]"
    assert '"default"' in found.message


def test_a_plugin_that_cannot_move_is_named() -> None:
    (found,) = verdict(vm(**interface(binding={"name": "mine"}))).violations
    assert '"mine"' in found.message


def test_an_old_bridge_is_preexisting_on_an_update_whatever_its_interface_is_called_now() -> None:
    found = verdict(vm(**interface("b", bridge={})), old=vm(**interface("a", bridge={})))
    assert [(violation.rule, violation.preexisting) for violation in found.violations] == [(RULE, True)]


def test_a_bridge_that_an_update_brings_is_denied() -> None:
    found = verdict(vm(**interface(bridge={})), old=vm(**interface(masquerade={})))
    assert [(violation.rule, violation.preexisting) for violation in found.violations] == [(RULE, False)]
