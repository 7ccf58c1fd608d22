"""The hardware of a VM, after instancetype, preference and KubeVirt's defaults."""

from typing import Any

import pytest

from tests.build import Object, kubevirt, vm, vmi
from tests.build_facts import instancetype, preference
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
    assert isinstance(found.pod_network, PodNetwork)
    assert found.pod_network.interface is not None
    return found.pod_network.interface.binding


def devices(**found: object) -> Object:
    return {"devices": found}


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ({"defaultNetworkInterface": "masquerade"}, "masquerade"),
        ({"defaultNetworkInterface": "slirp"}, "slirp"),
        *((network, "bridge") for network in ({}, {"defaultNetworkInterface": ""}, None)),
    ],
    ids=repr,
)
@pytest.mark.parametrize("make", [vm, vmi])
def test_a_vm_without_networks_joins_the_pod_network_by_the_default(make: Any, network: object, expected: str) -> None:
    assert binding(hardware(make(), network=network)) == expected


@pytest.mark.parametrize(
    ("own", "preferred", "attached"),
    [
        (None, None, True),
        (False, None, False),
        (None, False, False),
        (None, True, True),
        (True, False, True),
        (False, True, False),
    ],
)
def test_a_default_interface_is_attached_unless_vm_or_preference_says_no(
    own: bool | None, preferred: bool | None, attached: bool
) -> None:
    domain = devices(**({} if own is None else {"autoattachPodInterface": own}))
    of_preference = {} if preferred is None else {"devices": {"preferredAutoattachPodInterface": preferred}}
    assert (applied(None, of_preference, domain=domain).pod_network is not None) is attached


def test_a_vm_with_its_own_networks_is_attached_to_those_alone() -> None:
    domain = devices(autoattachPodInterface=True, interfaces=[{"name": "n", "bridge": {}}])
    assert hardware(vm(networks=[{"name": "n", "multus": {}}], domain=domain)).pod_network is None


def test_the_interface_of_the_pod_network_is_the_one_of_its_name() -> None:
    domain = devices(interfaces=[{"name": "a", "sriov": {}}, {"name": "b", "masquerade": {}, "ports": [{"port": 80}]}])
    found = hardware(vm(networks=[{"name": "a", "multus": {}}, {"name": "b", "pod": {}}], domain=domain)).pod_network
    interface = Interface("b", "masquerade", None, (80,), f"{DOMAIN}.devices.interfaces[1]")
    assert found == PodNetwork("b", interface, "spec.template.spec.networks[1]")


@pytest.mark.parametrize(
    ("own", "preferred", "expected"),
    [
        ({}, {"preferredInterfaceMasquerade": {}}, "masquerade"),
        ({}, {}, None),
        ({}, {"preferredInterfaceMasquerade": None}, None),
        ({"bridge": {}}, {"preferredInterfaceMasquerade": {}}, "bridge"),
        ({"binding": {"name": "x"}}, {"preferredInterfaceMasquerade": {}}, "binding"),
    ],
    ids=repr,
)
def test_a_preferred_masquerade_binds_an_interface_without_a_binding(
    own: Object, preferred: Object, expected: str | None
) -> None:
    fields = {"networks": [{"name": "d", "pod": {}}], "domain": devices(interfaces=[{"name": "d", **own}])}
    assert binding(applied(None, {"devices": preferred}, **fields)) == expected


def test_a_preferred_masquerade_does_not_change_the_default_interface() -> None:
    objects = preference("p", devices={"preferredInterfaceMasquerade": {}})
    assert binding(hardware(vm(spec={"preference": {"name": "p"}}), objects, network={})) == "bridge"


@pytest.mark.parametrize(
    ("state", "is_on"),
    [
        *(({}, True), ({"enabled": True}, True), ({"enabled": None}, True)),
        *(({"enabled": False}, False), (None, False), (True, False)),
    ],
    ids=repr,
)
def test_a_feature_that_is_set_is_on_unless_it_says_otherwise(state: object, is_on: bool) -> None:
    features = {"hyperv": {"reenlightenment": state}, "hypervPassthrough": state}
    found = hardware(vm(domain={"features": features}))
    assert (found.reenlightenment is not None) is is_on
    assert (found.hyperv_passthrough is not None) is is_on
    preferred = {"features": {"preferredHyperv": {"reenlightenment": state}}}
    assert (applied(None, preferred).reenlightenment is not None) is is_on


def test_passthrough_cannot_be_preferred() -> None:
    assert applied(None, {"features": {"preferredHypervPassthrough": {}}}).hyperv_passthrough is None


@pytest.mark.parametrize(
    ("own", "preferred", "cluster", "expected"),
    [
        (None, None, None, "amd64"),
        (None, None, "arm64", "arm64"),
        (None, "s390x", "arm64", "s390x"),
        ("amd64", "s390x", "arm64", "amd64"),
        ("", "s390x", None, "s390x"),
    ],
)
def test_the_architecture_is_the_vms_or_the_preferences_or_the_clusters(
    own: str | None, preferred: str | None, cluster: str | None, expected: str
) -> None:
    cr = {**kubevirt(), "status": {"defaultArchitecture": cluster} if cluster else {}}
    fields: Object = {} if own is None else {"architecture": own}
    obj = vm(spec={"preference": {"name": "p"}}, **fields)
    objects = [preference("p", **({"preferredArchitecture": preferred} if preferred else {}))]
    assert read_vm(obj, Snapshot(objects), KubeVirtFacts.read(cr)).hardware.architecture == expected


def cpu(*features: tuple[str, str]) -> list[Object]:
    return [{"name": name, "policy": policy} for name, policy in features]


INVTSC: dict[str, tuple[list[Object], list[Object], bool]] = {
    "none": ([], [], False),
    "required": (cpu(("vmx", "require"), ("invtsc", "require")), [], True),
    "forced": (cpu(("invtsc", "force")), [], True),
    "optional": (cpu(("invtsc", "optional")), [], False),
    "preferred beside others": (cpu(("vmx", "require")), cpu(("invtsc", "force")), True),
    "named, so not preferred": (cpu(("invtsc", "disable")), cpu(("invtsc", "require")), False),
    "preferred, optional": ([], cpu(("invtsc", "optional")), False),
    "preferred, with a name of a wrong type": ([], [{"name": [1]}], False),
}


@pytest.mark.parametrize(("own", "preferred", "expected"), INVTSC.values(), ids=INVTSC)
def test_whether_the_guest_needs_a_fixed_frequency_to_boot(
    own: list[Object], preferred: list[Object], expected: bool
) -> None:
    found = applied(None, {"cpu": {"preferredCPUFeatures": preferred}}, domain={"cpu": {"features": own}})
    assert found.invtsc is expected


@pytest.mark.parametrize(
    ("own", "of_instancetype", "of_preference", "expected"),
    [
        ({ALLOW: "false"}, {}, {}, True),
        ({}, {ALLOW: ""}, {}, True),
        ({}, {}, {ALLOW: "true"}, True),
        ({"other": "true"}, {"other": ""}, {"other": ""}, False),
    ],
    ids=["by the template", "by the instancetype", "by the preference", "nowhere"],
)
def test_whether_a_bridge_may_move(own: Object, of_instancetype: Object, of_preference: Object, expected: bool) -> None:
    vm_object = vm(spec=BOTH)
    vm_object["spec"]["template"]["metadata"] = {"annotations": own}
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


WRONG: list[object] = [None, "x", 5, [], {}, [None], ["x"], [{}], {"a": 1}, True]


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize(
    "key", ["devices", "features", "cpu", "launchSecurity", "interfaces", "networks", "affinity", "nodeSelector"]
)
def test_what_has_a_wrong_type_is_read_as_absent(key: str, value: object) -> None:
    fields: Object = {key: value}
    vm_object = vm(**fields)
    vm_object["spec"]["template"]["spec"]["domain"] = {key: value, "devices": {key: value}}
    found = hardware(vm_object)
    assert (found.gpus, found.host_devices, found.reservations, found.invtsc) == ((), (), (), False)
    assert found.reenlightenment is found.hyperv_passthrough is None
