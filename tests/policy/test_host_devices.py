"""host-devices: hardware of one node."""

import pytest

from tests.build import CLUSTER, Object, kubevirt, vm, vmi
from tests.build_facts import instancetype
from tests.policy.samples import devices, preexisting, table, verdict
from webhook import Verdict, evaluate

GATE = {"featureGates": ["VGPULiveMigration"]}
VIRTUAL = {"mediatedDevices": [{"mdevNameSelector": "T4", "resourceName": "vendor.com/vgpu"}]}
CARD = {"pciHostDevices": [{"pciVendorSelector": "10DE:1EB8", "resourceName": "vendor.com/vgpu"}]}
DEVICES = "spec.template.spec.domain.devices"
BIG = {"instancetype": {"name": "big"}}


def device(name: str, resource: str | None = "vendor.com/vgpu") -> Object:
    return {"name": name, **({"deviceName": resource} if resource else {})}


def cr(version: str = "v1.9.0", gate: bool = True, permitted: Object = VIRTUAL) -> Object:
    return kubevirt(version=version, developerConfiguration=GATE if gate else {}, permittedHostDevices=permitted)


def with_devices(*names: str, key: str = "hostDevices", resource: str = "vendor.com/vgpu") -> Object:
    return vm(domain=devices(**{key: [device(name, resource) for name in names]}))


def fields(found: Verdict) -> list[str]:
    assert {violation.rule for violation in found.violations} <= {"host-devices"}
    return [violation.field for violation in found.violations]


@pytest.mark.parametrize("version", ["v1.6.6", "v1.9.0"])
def test_every_host_device_is_denied(version: str) -> None:
    vm_object = vm(domain=devices(hostDevices=[device("a"), device("b", None)]))
    assert fields(verdict(vm_object, cr(version))) == [f"{DEVICES}.hostDevices[0]", f"{DEVICES}.hostDevices[1]"]


VGPU = "vendor.com/vgpu"
ONE_GPU: list[tuple[str, Object, str | None, str | None]] = [
    # the KubeVirt CR, the GPU's device name, what is missing
    ("all that it takes", cr(), VGPU, None),
    ("a newer KubeVirt", cr("v1.10.2"), VGPU, None),
    ("a development build", cr("devel"), VGPU, None),
    ("without the gate", cr(gate=False), VGPU, "VGPULiveMigration"),
    ("before 1.9", cr("v1.8.4"), VGPU, "1.9"),
    ("not permitted", cr(permitted={}), VGPU, "permits"),
    ("another one is permitted", cr(), "vendor.com/other", "permits"),
    ("a whole card", cr(permitted=CARD), VGPU, "permits"),
    ("of a ResourceClaim, without a device name", cr(), None, "permits"),
]


@table(ONE_GPU, "kubevirt_cr resource missing")
def test_one_gpu_migrates_where_it_is_a_virtual_one_and_the_gate_is_on(
    kubevirt_cr: Object, resource: str | None, missing: str | None
) -> None:
    found = verdict(vm(domain=devices(gpus=[device("g", resource)])), kubevirt_cr)
    assert fields(found) == ([f"{DEVICES}.gpus[0]"] if missing else [])
    assert all((missing or "") in violation.message for violation in found.violations)


UNKNOWN_CR = [
    ("one GPU", {"gpus": [device("g")]}, "warn"),
    ("a GPU without a name", {"gpus": [device("g", None)]}, "warn"),
    ("two GPUs", {"gpus": [device("g"), device("h")]}, "deny"),
    ("host device", {"hostDevices": [device("g")]}, "deny"),
]


@table(UNKNOWN_CR, "found action")
def test_what_only_an_unknown_kubevirt_cr_could_say_is_warned_about(found: Object, action: str) -> None:
    without = [obj for obj in CLUSTER if obj["kind"] != "KubeVirt"]
    vm_object = vm(domain=devices(**found, autoattachPodInterface=False))
    assert {violation.action for violation in evaluate(vm_object, without).violations} == {action}


def test_of_several_gpus_none_migrates() -> None:
    found = verdict(with_devices("a", "b", "c", key="gpus"), cr())
    assert fields(found) == [f"{DEVICES}.gpus[{index}]" for index in range(3)]
    assert all("one of 3 GPUs" in violation.message for violation in found.violations)


def test_a_virtual_gpu_beside_a_host_device_is_not_reported() -> None:
    vm_object = vm(domain=devices(gpus=[device("g")], hostDevices=[device("h")]))
    assert fields(verdict(vm_object, cr())) == [f"{DEVICES}.hostDevices[0]"]


def test_a_gpu_of_a_vmi_is_evaluated_at_its_own_path() -> None:
    assert fields(verdict(vmi(domain=devices(gpus=[device("g", "x")])))) == ["spec.domain.devices.gpus[0]"]


APPLIED = [
    ("gpus", {"gpus": [device("g", "x")]}, ["spec.instancetype"]),
    ("hostDevices", {"hostDevices": [device("g", "x")]}, ["spec.instancetype"]),
    ("virtual GPU", {"gpus": [device("g")]}, []),
]


@table(APPLIED, "spec expected")
def test_devices_of_the_instancetype_are_denied_there(spec: Object, expected: list[str]) -> None:
    found = verdict(vm(spec=BIG), instancetype("big", **spec), cr())
    assert fields(found) == expected
    assert all('"g"' in violation.message for violation in found.violations)


RATCHET: list[tuple[str, Object, Object, list[bool]]] = [
    ("at another place", with_devices("a", "b"), with_devices("b", "a"), [True, True]),
    ("one more", with_devices("a"), with_devices("a", "b"), [True, False]),
    ("renamed", with_devices("a"), with_devices("b"), [False]),
    ("one less", with_devices("a", "b"), with_devices("b"), [True]),
    ("a GPU becomes a host device", with_devices("a", key="gpus", resource="x"), with_devices("a"), [False]),
    ("a host device becomes a GPU", with_devices("a"), with_devices("a", key="gpus", resource="x"), [False]),
    ("a second GPU", with_devices("a", key="gpus"), with_devices("a", "b", key="gpus"), [False, False]),
    ("now of the instancetype", with_devices("h"), vm(spec=BIG), [True]),
]


@table(RATCHET, "old new expected")
def test_a_device_is_preexisting_by_its_name(old: Object, new: Object, expected: list[bool]) -> None:
    assert preexisting(new, cr(), instancetype("big", hostDevices=[device("h")]), old=old) == expected
