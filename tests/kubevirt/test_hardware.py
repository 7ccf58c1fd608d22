"""The hardware of a VM, after instancetype, preference and KubeVirt's defaults."""

from typing import Any

import pytest

from tests.build import Object, kubevirt, vm, vmi
from tests.build_facts import instancetype, preference
from tests.build_paths import tagged
from tests.policy.samples import devices, interface, table
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt.model import Hardware, Interface, PodNetwork, Setting
from webhook.kubevirt.reader import read_vm

DOMAIN = "spec.template.spec.domain"
ALLOW = "kubevirt.io/allow-pod-bridge-network-live-migration"
BOTH = {"instancetype": {"name": "i"}, "preference": {"name": "p"}}


def hardware(vm_object: Object, *objects: Object, **cr: Any) -> Hardware:
    return read_vm(vm_object, Snapshot(objects), KubeVirtFacts.read(kubevirt(**cr))).hardware


def applied(of_instancetype: Object | None = None, of_preference: Object | None = None, **fields: Any) -> Hardware:
    """Return the hardware of a VM with an instancetype and a preference."""
    objects = instancetype("i", **(of_instancetype or {})), preference("p", **(of_preference or {}))
    return hardware(vm(spec=BOTH, **fields), *objects)


def binding(found: Hardware) -> str | None:
    assert found.pod_network
    assert found.pod_network.interface
    return found.pod_network.interface.binding


@pytest.mark.parametrize("name", [None, "", "slirp"])
@pytest.mark.parametrize("make", [vm, vmi])
def test_a_vm_without_networks_joins_the_pod_network_by_the_default(make: Any, name: str | None) -> None:
    assert binding(hardware(make(), network={"defaultNetworkInterface": name})) == (name or "bridge")
    assert binding(hardware(make(), network=None)) == binding(hardware(make(), network={})) == "bridge"


@pytest.mark.parametrize("preferred", [None, True, False])
@pytest.mark.parametrize("own", [None, True, False])
def test_a_default_interface_is_attached_unless_vm_or_preference_says_no(
    own: bool | None, preferred: bool | None
) -> None:
    of_preference = devices(preferredAutoattachPodInterface=preferred)
    found = applied(None, of_preference, domain=devices(autoattachPodInterface=own))
    assert (found.pod_network is not None) is (preferred is not False if own is None else own)


def test_a_vm_with_its_own_networks_is_attached_to_those_alone() -> None:
    domain = devices(autoattachPodInterface=True, interfaces=[{"name": "n", "bridge": {}}])
    assert hardware(vm(networks=[{"name": "n", "multus": {}}], domain=domain)).pod_network is None


def test_the_interface_of_the_pod_network_is_the_one_of_its_name() -> None:
    domain = devices(interfaces=[{"name": "a", "sriov": {}}, {"name": "b", "masquerade": {}, "ports": [{"port": 80}]}])
    found = hardware(vm(networks=[{"name": "a", "multus": {}}, {"name": "b", "pod": {}}], domain=domain)).pod_network
    interface = Interface("b", "masquerade", None, (80,), f"{DOMAIN}.devices.interfaces[1]")
    assert found == PodNetwork("b", interface, "spec.template.spec.networks[1]")


MASQUERADE: Object = {"preferredInterfaceMasquerade": {}}
PREFERRED: list[tuple[str, Object, Object, str | None]] = [
    ("no binding", interface(), MASQUERADE, "masquerade"),
    ("nothing preferred", interface(), {}, None),
    ("null preferred", interface(), {"preferredInterfaceMasquerade": None}, None),
    ("a bridge", interface(bridge={}), MASQUERADE, "bridge"),
    ("a plugin", interface(binding={"name": "x"}), MASQUERADE, "binding"),
    ("the default interface", {}, MASQUERADE, "bridge"),
]


@table(PREFERRED, "fields preferred expected")
def test_a_preferred_masquerade_binds_only_an_interface_without_a_binding(
    fields: Object, preferred: Object, expected: str | None
) -> None:
    vm_object = vm(spec={"preference": {"name": "p"}}, **fields)
    assert binding(hardware(vm_object, preference("p", devices=preferred), network={})) == expected


@pytest.mark.parametrize("state", [{}, *({"enabled": state} for state in (True, None, False)), None, True], ids=repr)
def test_a_feature_that_is_set_is_on_unless_it_says_otherwise(state: object) -> None:
    is_on = state in ({}, {"enabled": True}, {"enabled": None})
    features = {"hyperv": {"reenlightenment": state}, "hypervPassthrough": state}
    found = hardware(vm(domain={"features": features}))
    assert (found.reenlightenment is not None) is is_on
    assert (found.hyperv_passthrough is not None) is is_on
    preferred = {"features": {"preferredHyperv": {"reenlightenment": state}}}
    assert (applied(None, preferred).reenlightenment is not None) is is_on
    assert applied(None, {"features": {"preferredHypervPassthrough": state}}).hyperv_passthrough is None


ARM, S390X, AMD = "arm64", "s390x", "amd64"
ARCHITECTURES = [
    # the VM's, the preference's, the cluster's, and which counts
    *((None, None, None, AMD), (None, None, ARM, ARM), (None, S390X, ARM, S390X)),
    *((AMD, S390X, ARM, AMD), ("", S390X, None, S390X)),
]


@pytest.mark.parametrize(("own", "preferred", "cluster", "expected"), ARCHITECTURES)
def test_the_architecture_is_the_vms_or_the_preferences_or_the_clusters(
    own: str | None, preferred: str | None, cluster: str | None, expected: str
) -> None:
    cr = {**kubevirt(), "status": {"defaultArchitecture": cluster}}
    objects = Snapshot([preference("p", preferredArchitecture=preferred)])
    found = read_vm(vm(spec={"preference": {"name": "p"}}, architecture=own), objects, KubeVirtFacts.read(cr))
    assert found.hardware.architecture == expected


def cpu(*features: tuple[str, str | None]) -> list[Object]:
    return [{"name": name, "policy": policy} for name, policy in features]


POLICIES = {"require": True, "force": True, **dict.fromkeys(["optional", "disable", "forbid", "", None], False)}
INVTSC: list[tuple[str, list[Object], list[Object], bool]] = [
    ("none", [], [], False),
    *((f"{policy}", cpu(("vmx", "require"), ("invtsc", policy)), [], needs) for policy, needs in POLICIES.items()),
    ("preferred beside others", cpu(("vmx", "require")), cpu(("invtsc", "force")), True),
    ("named, so not preferred", cpu(("invtsc", "disable")), cpu(("invtsc", "require")), False),
    ("preferred, optional", [], cpu(("invtsc", "optional")), False),
    ("preferred, with a name of a wrong type", [], [{"name": [1]}], False),
]


@table(INVTSC, "own preferred expected")
def test_whether_the_guest_needs_a_fixed_frequency_to_boot(
    own: list[Object], preferred: list[Object], expected: bool
) -> None:
    found = applied(None, {"cpu": {"preferredCPUFeatures": preferred}}, domain={"cpu": {"features": own}})
    assert found.invtsc is expected


ANNOTATED = [
    ("by the template", {ALLOW: "false"}, {}, {}, True),
    ("by the instancetype", {}, {ALLOW: ""}, {}, True),
    ("by the preference", {}, {}, {ALLOW: "true"}, True),
    ("nowhere", {"other": "true"}, {"other": ""}, {"other": ""}, False),
]


@table(ANNOTATED, "own of_instancetype of_preference expected")
def test_whether_a_bridge_may_move(own: Object, of_instancetype: Object, of_preference: Object, expected: bool) -> None:
    vm_object = tagged(vm(spec=BOTH), "spec", "template", annotations=own)
    objects = instancetype("i", annotations=of_instancetype), preference("p", annotations=of_preference)
    assert hardware(vm_object, *objects).may_move_bridge is expected


@pytest.mark.parametrize(("key", "attribute"), [("gpus", "gpus"), ("hostDevices", "host_devices")])
def test_devices_of_the_vm_or_else_of_its_instancetype(key: str, attribute: str) -> None:
    of_instancetype = {key: [{"name": "i", "deviceName": "x"}, {"name": "j"}]}

    def found(**domain: Any) -> list[tuple[str, str | None, str]]:
        devices_found = getattr(applied(of_instancetype, domain=domain), attribute)
        return [(device.name, device.resource, device.field) for device in devices_found]

    assert found() == [("i", "x", "spec.instancetype"), ("j", None, "spec.instancetype")]
    assert found(**devices(**{key: [{"name": "own", "deviceName": "y"}]})) == [
        ("own", "y", f"{DOMAIN}.devices.{key}[0]")
    ]


@pytest.mark.parametrize(
    ("own", "of_instancetype", "of_preference", "expected"),
    [
        ({"sev": {}}, {"tdx": {}}, {"snp": {}}, Setting({"sev": {}}, f"{DOMAIN}.launchSecurity")),
        (None, {"tdx": {}}, {"snp": {}}, Setting({"tdx": {}}, "spec.instancetype")),
        (None, None, {"snp": {}}, Setting({"snp": {}}, "spec.preference")),
        (None, None, None, None),
    ],
)
def test_a_setting_is_the_vms_or_the_instancetypes_or_the_preferences(
    own: object, of_instancetype: object, of_preference: object, expected: Setting | None
) -> None:
    preferred = {"preferredLaunchSecurity": of_preference}
    found = applied({"launchSecurity": of_instancetype}, preferred, domain={"launchSecurity": own})
    assert found.launch_security == expected


KEYS = ("devices", "features", "cpu", "launchSecurity", "interfaces", "networks", "affinity", "nodeSelector")


@pytest.mark.parametrize("value", [None, "x", 5, [], {}, [None], ["x"], [{}], {"a": 1}, True], ids=repr)
@pytest.mark.parametrize("key", KEYS)
def test_what_has_a_wrong_type_is_read_as_absent(key: str, value: object) -> None:
    fields: Object = {key: value, "domain": {key: value, "devices": {key: value}}}
    found = hardware(vm(**fields))
    assert (found.gpus, found.host_devices, found.reservations, found.invtsc) == ((), (), (), False)
    assert found.reenlightenment is found.hyperv_passthrough is None
