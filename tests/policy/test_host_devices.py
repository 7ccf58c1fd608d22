"""host-devices: hardware of one node."""

import pytest

from tests.build import CLUSTER, Object, kubevirt, vm, vmi
from tests.build_facts import instancetype
from tests.policy.samples import devices
from webhook import Verdict, evaluate

RULE = "host-devices"
GATE = {"featureGates": ["VGPULiveMigration"]}
VIRTUAL = {"mediatedDevices": [{"mdevNameSelector": "T4", "resourceName": "vendor.com/vgpu"}]}
DEVICES = "spec.template.spec.domain.devices"


def device(name: str, resource: str | None = "vendor.com/vgpu") -> Object:
    return {"name": name, **({"deviceName": resource} if resource else {})}


def verdict(
    vm_object: Object,
    *objects: Object,
    version: str = "v1.9.0",
    gate: bool = True,
    permitted: Object = VIRTUAL,
    old: Object | None = None,
) -> Verdict:
    cr = kubevirt(version=version, developerConfiguration=GATE if gate else {}, permittedHostDevices=permitted)
    return evaluate(vm_object, [*CLUSTER, cr, *objects], old=old, operation="UPDATE" if old else "CREATE")


def with_gpus(*gpus: Object, **found: object) -> Object:
    return vm(domain=devices(gpus=list(gpus), **found))


def fields(found: Verdict) -> list[str]:
    return [violation.field for violation in found.violations]


@pytest.mark.parametrize("version", ["v1.6.6", "v1.8.4", "v1.9.0"])
def test_every_host_device_is_denied(version: str) -> None:
    vm_object = vm(domain=devices(hostDevices=[device("a"), device("b", None)]))
    found = verdict(vm_object, version=version)
    assert fields(found) == [f"{DEVICES}.hostDevices[0]", f"{DEVICES}.hostDevices[1]"]
    assert not found.allowed


ONE_GPU = [
    ("all that it takes", "v1.9.0", True, VIRTUAL, "vendor.com/vgpu", None),
    ("a newer KubeVirt", "v1.10.2", True, VIRTUAL, "vendor.com/vgpu", None),
    ("a development build", "devel", True, VIRTUAL, "vendor.com/vgpu", None),
    ("without the gate", "v1.9.0", False, VIRTUAL, "vendor.com/vgpu", "VGPULiveMigration"),
    ("before 1.9", "v1.8.4", True, VIRTUAL, "vendor.com/vgpu", "1.9"),
    ("long before 1.9", "v1.6.6", True, VIRTUAL, "vendor.com/vgpu", "1.9"),
    ("not permitted", "v1.9.0", True, {}, "vendor.com/vgpu", "permits"),
    ("another one is permitted", "v1.9.0", True, VIRTUAL, "vendor.com/other", "permits"),
    (
        "a whole card",
        "v1.9.0",
        True,
        {"pciHostDevices": [{"pciVendorSelector": "10DE:1EB8", "resourceName": "vendor.com/vgpu"}]},
        "vendor.com/vgpu",
        "permits",
    ),
    ("of a PVC, without a device name", "v1.9.0", True, VIRTUAL, None, "permits"),
]


@pytest.mark.parametrize(
    ("version", "gate", "permitted", "resource", "why"), [row[1:] for row in ONE_GPU], ids=[row[0] for row in ONE_GPU]
)
def test_one_gpu_moves_where_it_is_a_virtual_one_and_the_gate_is_on(
    version: str, gate: bool, permitted: Object, resource: str | None, why: str | None
) -> None:
    found = verdict(with_gpus(device("g", resource)), version=version, gate=gate, permitted=permitted)
    assert found.allowed is (why is None)
    assert [why in violation.message for violation in found.violations if why] == ([True] if why else [])


@pytest.mark.parametrize(
    ("found", "action"),
    [
        ({"gpus": [device("g")]}, "warn"),
        ({"gpus": [device("g", None)]}, "warn"),
        ({"gpus": [device("g"), device("h")]}, "deny"),
        ({"hostDevices": [device("g")]}, "deny"),
    ],
    ids=["one GPU", "a GPU without a name", "two GPUs", "host device"],
)
def test_what_only_an_unknown_kubevirt_could_say_is_warned_about(found: Object, action: str) -> None:
    without = [obj for obj in CLUSTER if obj["kind"] != "KubeVirt"]
    vm_object = vm(domain=devices(**found, autoattachPodInterface=False))
    assert {violation.action for violation in evaluate(vm_object, without).violations} == {action}


def test_of_several_gpus_none_moves() -> None:
    found = verdict(with_gpus(device("a"), device("b"), device("c")))
    assert fields(found) == [f"{DEVICES}.gpus[{index}]" for index in range(3)]
    assert all("one of 3" in violation.message for violation in found.violations)


def test_a_virtual_gpu_beside_a_host_device_is_not_blamed() -> None:
    assert fields(verdict(with_gpus(device("g"), hostDevices=[device("h")]))) == [f"{DEVICES}.hostDevices[0]"]


def test_the_violation_says_where_what_and_why() -> None:
    (found,) = verdict(with_gpus(device("g"), hostDevices=[device("h")])).violations
    assert (found.rule, found.reason, found.action) == (RULE, "HostDeviceNotLiveMigratable", "deny")
    assert found.volume is None
    assert '"h"' in found.message
    assert "cannot live-migrate" in found.message


def test_an_vmi_is_evaluated_at_its_own_path() -> None:
    assert fields(verdict(vmi(domain=devices(gpus=[device("g", "x")])))) == ["spec.domain.devices.gpus[0]"]


@pytest.mark.parametrize("key", ["gpus", "hostDevices"])
def test_devices_of_the_instancetype_are_denied_there(key: str) -> None:
    spec: Object = {key: [device("g", "x")]}
    found = verdict(vm(spec={"instancetype": {"name": "big"}}), instancetype("big", **spec))
    assert fields(found) == ["spec.instancetype"]
    assert '"g"' in found.violations[0].message


def test_the_virtual_gpu_of_the_instancetype_moves() -> None:
    found = verdict(vm(spec={"instancetype": {"name": "big"}}), instancetype("big", gpus=[device("g")]))
    assert found.violations == []


RATCHET = [
    ("the same device", ["a"], ["a"], [True]),
    ("at another place", ["a", "b"], ["b", "a"], [True, True]),
    ("one more", ["a"], ["a", "b"], [True, False]),
    ("renamed", ["a"], ["b"], [False]),
    ("one less", ["a", "b"], ["b"], [True]),
]


@pytest.mark.parametrize(
    ("before", "after", "preexisting"), [row[1:] for row in RATCHET], ids=[row[0] for row in RATCHET]
)
def test_a_device_is_preexisting_by_its_name(before: list[str], after: list[str], preexisting: list[bool]) -> None:
    old, new = (vm(domain=devices(hostDevices=[device(name) for name in names])) for names in (before, after))
    assert [violation.preexisting for violation in verdict(new, old=old).violations] == preexisting


@pytest.mark.parametrize(("before", "after"), [("gpus", "hostDevices"), ("hostDevices", "gpus")])
def test_a_device_of_the_other_sort_is_another_one_though_its_name_is_the_same(before: str, after: str) -> None:
    old, new = (vm(domain=devices(**{key: [device("a", "x")]})) for key in (before, after))
    assert [violation.preexisting for violation in verdict(new, old=old).violations] == [False]


def test_a_second_gpu_beside_one_that_moved_is_denied_as_both() -> None:
    found = verdict(with_gpus(device("a"), device("b")), old=with_gpus(device("a")))
    assert [violation.preexisting for violation in found.violations] == [False, False]


def test_a_device_of_the_vm_that_now_comes_with_the_instancetype_is_preexisting() -> None:
    old = vm(domain=devices(hostDevices=[device("h")]))
    new = vm(spec={"instancetype": {"name": "big"}})
    found = verdict(new, instancetype("big", hostDevices=[device("h")]), old=old)
    assert [violation.preexisting for violation in found.violations] == [True]
