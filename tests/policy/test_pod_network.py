"""pod-network: an address on the pod network that does not migrate with the VM."""

import pytest

from tests.build import Object, disk, kubevirt, vm
from tests.build_paths import tagged
from tests.policy.samples import NO_INTERFACE, POD, SECONDARY, devices, interface, rules, table, verdict

RULE = "pod-network"
VERSIONS = ["v1.5.3", "v1.6.6", "v1.7.1", "v1.9.0"]
BINDINGS: list[tuple[str, Object, list[str]]] = [
    # binding, the versions in which it migrates
    ("masquerade", {"masquerade": {}}, VERSIONS),
    ("bridge", {"bridge": {}}, []),
    ("passt of the core", {"passtBinding": {}}, VERSIONS[2:]),
    ("slirp", {"slirp": {}}, []),
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
]


@table(PLUGINS, "plugin expected")
def test_a_plugin_migrates_where_the_kubevirt_cr_says_how(plugin: Object, expected: list[str]) -> None:
    network = {"binding": {"mine": plugin, "other": {"migration": {}}}}
    found = verdict(vm(**interface(binding={"name": "mine"})), kubevirt(network=network)).violations
    assert [violation.rule for violation in found] == expected
    assert all('"mine"' in violation.message for violation in found)


BRIDGE, TEMPLATE = vm(**interface(bridge={})), ("spec", "template")
ALLOWED = {"kubevirt.io/allow-pod-bridge-network-live-migration": "false"}
ELSEWHERE: Object = {"networks": [SECONDARY], "domain": devices(interfaces=[{"name": "net", "bridge": {}}])}
MATTERS: list[tuple[str, Object, list[str]]] = [
    ("a bridge that is annotated, whatever the value", tagged(BRIDGE, *TEMPLATE, annotations=ALLOWED), []),
    ("an annotation that does not reach the VMI", tagged(BRIDGE, annotations=ALLOWED), [RULE]),
    ("another binding", tagged(vm(**interface(slirp={})), *TEMPLATE, annotations=ALLOWED), [RULE]),
    ("a bridge elsewhere", vm(**ELSEWHERE), []),
    ("networks without interfaces", vm(networks=[POD]), []),
    ("interfaces without networks", vm(domain=devices(interfaces=[{"name": "default", "bridge": {}}])), []),
]


@table(MATTERS, "vm_object expected")
def test_only_the_pod_network_matters_and_an_annotation_lets_a_bridge_migrate(
    vm_object: Object, expected: list[str]
) -> None:
    assert rules(vm_object, kubevirt(network={})) == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pod_network_without_its_interface_is_denied_since_1_7(version: str) -> None:
    found = verdict(vm(**NO_INTERFACE), kubevirt(version=version)).violations
    expected = [(RULE, "spec.template.spec.networks[1]")] if version >= "v1.7" else []
    assert [(violation.rule, violation.field) for violation in found] == expected
    assert all('"default"' in violation.message for violation in found)


@pytest.mark.parametrize("default", ["slirp", "masquerade", ""])
def test_a_vm_that_names_no_network_has_the_default_of_kubevirt(default: str) -> None:
    found = verdict(vm(), kubevirt(network={"defaultNetworkInterface": default})).violations
    where = "spec.template.spec.domain.devices.interfaces"
    assert [violation.field for violation in found] == ([] if default == "masquerade" else [where])
