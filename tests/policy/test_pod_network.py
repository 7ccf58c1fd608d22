"""pod-network: an address on the pod network that does not migrate with the VM."""

from collections.abc import Callable

import pytest

from tests.build import CLUSTER, Object, disk, kubevirt, vm, vmi
from tests.build_facts import instancetype, preference
from tests.build_paths import tagged
from tests.policy.samples import devices, interface, preexisting, rules, table, verdict
from webhook import evaluate

RULE = "pod-network"
ALLOW = "kubevirt.io/allow-pod-bridge-network-live-migration"
VERSIONS = ["v1.5.3", "v1.6.6", "v1.7.1", "v1.9.0"]
BRIDGE = vm(**interface(bridge={}))
POD = {"name": "default", "pod": {}}
SECONDARY = {"name": "net", "multus": {"networkName": "x"}}
NO_INTERFACE = {**interface("other", masquerade={}), "networks": [SECONDARY, POD]}

BINDINGS: list[tuple[str, Object, list[str]]] = [
    # binding, the versions in which it migrates
    ("masquerade", {"masquerade": {}}, VERSIONS),
    ("bridge", {"bridge": {}}, []),
    ("passt of the core", {"passtBinding": {}}, VERSIONS[2:]),
    ("slirp", {"slirp": {}}, []),
    ("macvtap", {"macvtap": {}}, []),
    ("old passt", {"passt": {}}, []),
    ("SR-IOV", {"sriov": {}}, []),
    ("unknown plugin", {"binding": {"name": "unknown"}}, []),
    ("plugin without a name", {"binding": {}}, []),
    ("no binding", {}, []),
]


@pytest.mark.parametrize("version", VERSIONS)
@table(BINDINGS, "binding migrates_in")
def test_a_binding_on_the_pod_network(binding: Object, migrates_in: list[str], version: str) -> None:
    found = rules(vm(disk("good"), **interface(**binding)), kubevirt(version=version))
    assert found == ([] if version in migrates_in else [RULE])


PLUGINS = [
    ("says how it migrates", {"migration": {"method": "link-refresh"}}, []),
    ("says that it migrates", {"migration": {}}, []),
    ("says nothing", {}, [RULE]),
    ("null", {"migration": None}, [RULE]),
    ("attachment alone", {"networkAttachmentDefinition": "x"}, [RULE]),
]


@table(PLUGINS, "plugin expected")
def test_a_plugin_migrates_where_the_kubevirt_cr_says_how(plugin: Object, expected: list[str]) -> None:
    network = {"binding": {"mine": plugin, "other": {"migration": {}}}}
    found = verdict(vm(**interface(binding={"name": "mine"})), kubevirt(network=network)).violations
    assert [violation.rule for violation in found] == expected
    assert all('"mine"' in violation.message for violation in found)


TEMPLATE = ("spec", "template")
ANNOTATED: list[tuple[str, Object, list[str]]] = [
    *((repr(value), tagged(BRIDGE, *TEMPLATE, annotations={ALLOW: value}), []) for value in ("true", "", "false")),
    ("on a VMI", tagged(vmi(**interface(bridge={})), annotations={ALLOW: "true"}), []),
    ("on the VirtualMachine, which does not reach its VMI", tagged(BRIDGE, annotations={ALLOW: "true"}), [RULE]),
    ("of another binding", tagged(vm(**interface(slirp={})), *TEMPLATE, annotations={ALLOW: "true"}), [RULE]),
]


@table(ANNOTATED, "vm_object expected")
def test_the_annotation_lets_a_bridge_migrate(vm_object: Object, expected: list[str]) -> None:
    assert rules(vm_object) == expected


@pytest.mark.parametrize("applied", [instancetype, preference])
def test_the_annotation_may_come_with_instancetype_or_preference(applied: Callable[..., Object]) -> None:
    vm_object = vm(spec={applied.__name__: {"name": "x"}}, **interface(bridge={}))
    assert rules(vm_object, applied("x", annotations={ALLOW: ""})) == []


NO_POD_NETWORK: list[tuple[str, Object]] = [
    ("a bridge elsewhere", {"networks": [SECONDARY], "domain": devices(interfaces=[{"name": "net", "bridge": {}}])}),
    ("SR-IOV elsewhere", {"networks": [SECONDARY], "domain": devices(interfaces=[{"name": "net", "sriov": {}}])}),
    ("networks without interfaces", {"networks": [POD]}),
    ("interfaces without networks", {"domain": devices(interfaces=[{"name": "default", "bridge": {}}])}),
    ("not attached", {"domain": devices(autoattachPodInterface=False)}),
]


@table(NO_POD_NETWORK, "fields")
def test_what_is_not_on_the_pod_network_does_not_matter(fields: Object) -> None:
    assert rules(vm(**fields), kubevirt(network={})) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pod_network_without_its_interface_is_denied_since_1_7(version: str) -> None:
    found = verdict(vm(**NO_INTERFACE), kubevirt(version=version)).violations
    expected = [(RULE, "spec.template.spec.networks[1]")] if version >= "v1.7" else []
    assert [(violation.rule, violation.field) for violation in found] == expected
    assert all('"default"' in violation.message for violation in found)


DEFAULTS = {"bridge": True, "slirp": True, "masquerade": False, None: True}


@pytest.mark.parametrize("default", DEFAULTS, ids=str)
def test_a_vm_that_names_no_network_has_the_default_of_kubevirt(default: str | None) -> None:
    cr = kubevirt(network={"defaultNetworkInterface": default} if default else {})
    fields = [violation.field for violation in verdict(vm(), cr).violations]
    assert fields == (["spec.template.spec.domain.devices.interfaces"] if DEFAULTS[default] else [])


UNKNOWN_CR: list[tuple[str, Object, str]] = [
    ("the default interface", {}, "warn"),
    ("a plugin", interface(binding={"name": "mine"}), "warn"),
    ("a bridge", interface(bridge={}), "deny"),
    ("no binding", interface(), "deny"),
    ("no interface", NO_INTERFACE, "deny"),
]


@table(UNKNOWN_CR, "fields action")
def test_what_only_an_unknown_kubevirt_cr_could_say_is_warned_about(fields: Object, action: str) -> None:
    found = evaluate(vm(**fields), [obj for obj in CLUSTER if obj["kind"] != "KubeVirt"])
    assert [(violation.rule, violation.action) for violation in found.violations] == [(RULE, action)]
    known = verdict(vm(**fields), kubevirt(network={}))
    assert [violation.action for violation in known.violations] == ["deny"]


def test_an_old_bridge_is_preexisting_on_an_update_whatever_its_interface_is_called_now() -> None:
    assert preexisting(vm(**interface("b", bridge={})), old=vm(**interface("a", bridge={}))) == [True]
