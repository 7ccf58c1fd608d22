"""What a VM is made of, after instancetype, preference and KubeVirt's defaults."""

from typing import Any

import pytest

from tests.build import Object, kubevirt, vm, vmi
from tests.build_facts import instancetype, preference
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt import Hardware, PodNetwork, read_vm

DOMAIN = "spec.template.spec.domain"
INTERFACES = f"{DOMAIN}.devices.interfaces"
ALLOW = "kubevirt.io/allow-pod-bridge-network-live-migration"
BOTH = {"instancetype": {"name": "i"}, "preference": {"name": "p"}}


def hardware(vm_object: Object, *objects: Object, **cr: Any) -> Hardware:
    return read_vm(vm_object, Snapshot(objects), KubeVirtFacts.read(kubevirt(**cr))).hardware


def applied(of_instancetype: Object | None = None, of_preference: Object | None = None, **fields: Any) -> Hardware:
    """Return the hardware of a virtual VM with an instancetype and a preference."""
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
        ({}, "bridge"),
        ({"defaultNetworkInterface": "masquerade"}, "masquerade"),
        ({"defaultNetworkInterface": "slirp"}, "slirp"),
        ({"defaultNetworkInterface": ""}, "bridge"),
        ({"defaultNetworkInterface": None}, "bridge"),
        (None, "bridge"),
    ],
    ids=repr,
)
def test_a_vm_that_names_no_network_joins_the_pods_by_the_default(network: object, expected: str) -> None:
    assert binding(hardware(vm(), network=network)) == expected
    assert binding(hardware(vmi(), network=network)) == expected


ATTACH = [
    # own, preferred, attached
    (None, None, True),
    (False, None, False),
    (True, None, True),
    (None, False, False),
    (None, True, True),
    (True, False, True),
    (False, True, False),
]


@pytest.mark.parametrize(("own", "preferred", "attached"), ATTACH)
def test_whether_a_default_interface_is_attached(own: bool | None, preferred: bool | None, attached: bool) -> None:
    domain = devices(**({} if own is None else {"autoattachPodInterface": own}))
    of_preference = {} if preferred is None else {"devices": {"preferredAutoattachPodInterface": preferred}}
    assert (applied(None, of_preference, domain=domain).pod_network is not None) is attached


def test_a_vm_with_networks_of_its_own_is_attached_to_those_alone() -> None:
    domain = devices(autoattachPodInterface=True, interfaces=[{"name": "n", "bridge": {}}])
    assert hardware(vm(networks=[{"name": "n", "multus": {}}], domain=domain)).pod_network is None


def test_the_interface_of_the_pod_network_is_the_one_of_its_name() -> None:
    domain = devices(interfaces=[{"name": "a", "sriov": {}}, {"name": "b", "masquerade": {}, "ports": [{"port": 80}]}])
    found = hardware(vm(networks=[{"name": "a", "multus": {}}, {"name": "b", "pod": {}}], domain=domain)).pod_network
    assert found is not None
    assert found.interface is not None
    assert (found.name, found.field) == ("b", "spec.template.spec.networks[1]")
    assert (found.interface.name, found.interface.binding) == ("b", "masquerade")
    assert (found.interface.ports, found.interface.field) == ((80,), f"{INTERFACES}[1]")


PREFERRED_MASQUERADE: list[tuple[str, Object, Object, str | None]] = [
    ("no binding", {}, {"preferredInterfaceMasquerade": {}}, "masquerade"),
    ("no binding, nothing preferred", {}, {}, None),
    ("no binding, preferred by null", {}, {"preferredInterfaceMasquerade": None}, None),
    ("a bridge keeps its binding", {"bridge": {}}, {"preferredInterfaceMasquerade": {}}, "bridge"),
    ("a plugin keeps its binding", {"binding": {"name": "x"}}, {"preferredInterfaceMasquerade": {}}, "binding"),
]


@pytest.mark.parametrize(
    ("own", "preferred", "expected"),
    [row[1:] for row in PREFERRED_MASQUERADE],
    ids=[row[0] for row in PREFERRED_MASQUERADE],
)
def test_a_preferred_masquerade_binds_an_interface_without_a_binding(
    own: Object, preferred: Object, expected: str | None
) -> None:
    fields = {"networks": [{"name": "d", "pod": {}}], "domain": devices(interfaces=[{"name": "d", **own}])}
    assert binding(applied(None, {"devices": preferred}, **fields)) == expected


def test_a_preferred_masquerade_does_not_change_the_default_interface() -> None:
    """KubeVirt makes that one with its binding."""
    objects = preference("p", devices={"preferredInterfaceMasquerade": {}})
    assert binding(hardware(vm(spec={"preference": {"name": "p"}}), objects, network={})) == "bridge"


FEATURE_STATES = [
    ({}, True),
    ({"enabled": True}, True),
    ({"enabled": None}, True),
    ({"enabled": False}, False),
    (None, False),
    (True, False),
]


@pytest.mark.parametrize(("state", "on"), FEATURE_STATES, ids=[repr(row[0]) for row in FEATURE_STATES])
def test_a_feature_that_is_there_is_on_unless_it_says_otherwise(state: object, on: bool) -> None:
    features = {"hyperv": {"reenlightenment": state}, "hypervPassthrough": state}
    found = hardware(vm(domain={"features": features}))
    assert (found.reenlightenment is not None) is on
    assert (found.hyperv_passthrough is not None) is on
    preferred = {"features": {"preferredHyperv": {"reenlightenment": state}}}
    assert (applied(None, preferred).reenlightenment is not None) is on


def test_passthrough_cannot_be_preferred() -> None:
    assert applied(None, {"features": {"preferredHypervPassthrough": {}}}).hyperv_passthrough is None


ARCHITECTURES = [
    # own, preferred, of the cluster, expected
    (None, None, None, "amd64"),
    (None, None, "arm64", "arm64"),
    (None, "s390x", "arm64", "s390x"),
    ("amd64", "s390x", "arm64", "amd64"),
    ("", "s390x", None, "s390x"),
]


@pytest.mark.parametrize(("own", "preferred", "cluster", "expected"), ARCHITECTURES)
def test_the_architecture(own: str | None, preferred: str | None, cluster: str | None, expected: str) -> None:
    of_preference = {"preferredArchitecture": preferred} if preferred else {}
    cr = {**kubevirt(), "status": {"defaultArchitecture": cluster} if cluster else {}}
    fields: Object = {} if own is None else {"architecture": own}
    vm_object = read_vm(
        vm(spec={"preference": {"name": "p"}}, **fields),
        Snapshot([preference("p", **of_preference)]),
        KubeVirtFacts.read(cr),
    )
    assert vm_object.hardware.architecture == expected


def cpu(*features: tuple[str, str]) -> list[Object]:
    return [{"name": name, "policy": policy} for name, policy in features]


INVTSC: list[tuple[str, list[Object], list[Object], bool]] = [
    ("none", [], [], False),
    ("required", cpu(("vmx", "require"), ("invtsc", "require")), [], True),
    ("forced", cpu(("invtsc", "force")), [], True),
    ("optional", cpu(("invtsc", "optional")), [], False),
    ("preferred", [], cpu(("invtsc", "require")), True),
    ("preferred beside others", cpu(("vmx", "require")), cpu(("invtsc", "force")), True),
    ("named, so not preferred", cpu(("invtsc", "disable")), cpu(("invtsc", "require")), False),
    ("preferred, optional", [], cpu(("invtsc", "optional")), False),
    ("preferred, with a name that is no word", [], [{"name": [1]}], False),
]


@pytest.mark.parametrize(("own", "preferred", "expected"), [row[1:] for row in INVTSC], ids=[row[0] for row in INVTSC])
def test_whether_the_guest_needs_a_fixed_frequency_to_boot(
    own: list[Object], preferred: list[Object], expected: bool
) -> None:
    found = applied(None, {"cpu": {"preferredCPUFeatures": preferred}}, domain={"cpu": {"features": own}})
    assert found.invtsc is expected


ANNOTATED: list[tuple[str, Object, Object, Object, bool]] = [
    ("nowhere", {}, {}, {}, False),
    ("on the template", {ALLOW: "false"}, {}, {}, True),
    ("by the instancetype", {}, {ALLOW: ""}, {}, True),
    ("by the preference", {}, {}, {ALLOW: "true"}, True),
    ("another one", {"other": "true"}, {"other": ""}, {"other": ""}, False),
]


@pytest.mark.parametrize(
    ("own", "of_instancetype", "of_preference", "expected"),
    [row[1:] for row in ANNOTATED],
    ids=[row[0] for row in ANNOTATED],
)
def test_whether_a_bridge_may_move(own: Object, of_instancetype: Object, of_preference: Object, expected: bool) -> None:
    vm_object = vm(spec=BOTH)
    vm_object["spec"]["template"]["metadata"] = {"annotations": own}
    objects = instancetype("i", annotations=of_instancetype), preference("p", annotations=of_preference)
    assert hardware(vm_object, *objects).may_move_bridge is expected


def test_an_annotation_of_an_vmi_is_its_own() -> None:
    vm_object = vmi()
    vm_object["metadata"]["annotations"] = {ALLOW: "true"}
    assert hardware(vm_object).may_move_bridge


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


def test_a_setting_of_the_vm_goes_before_the_instancetypes_and_that_before_the_preferences() -> None:
    instance: Object = {"launchSecurity": {"tdx": {}}}
    preferred: Object = {"preferredLaunchSecurity": {"snp": {}}}
    fields = [
        (found.launch_security.field, list(found.launch_security.value)) if found.launch_security else None
        for found in (
            applied(instance, preferred, domain={"launchSecurity": {"sev": {}}}),
            applied(instance, preferred),
            applied({}, preferred),
            applied(),
        )
    ]
    assert fields == [
        (f"{DOMAIN}.launchSecurity", ["sev"]),
        ("spec.instancetype", ["tdx"]),
        ("spec.preference", ["snp"]),
        None,
    ]


WRONG: list[object] = [None, "x", 5, [], {}, [None], ["x"], [{}], {"a": 1}, True]


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize(
    "key", ["devices", "features", "cpu", "launchSecurity", "interfaces", "networks", "affinity", "nodeSelector"]
)
def test_what_has_the_wrong_shape_is_read_as_absent(key: str, value: object) -> None:
    fields: Object = {key: value}
    vm_object = vm(**fields)
    vm_object["spec"]["template"]["spec"]["domain"] = {key: value, "devices": {key: value}}
    found = hardware(vm_object)
    assert (found.gpus, found.host_devices, found.reservations, found.invtsc) == ((), (), (), False)
    assert found.reenlightenment is found.hyperv_passthrough is None
