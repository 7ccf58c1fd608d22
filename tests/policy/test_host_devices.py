"""host-devices: hardware of one node."""

from tests.build import Object, kubevirt, vm
from tests.build_facts import instancetype
from tests.policy.samples import devices, preexisting, table, verdict

VGPU = "vendor.com/vgpu"
GATE = {"featureGates": ["VGPULiveMigration"]}
VIRTUAL = {"mediatedDevices": [{"mdevNameSelector": "T4", "resourceName": VGPU}]}
CARD = {"pciHostDevices": [{"pciVendorSelector": "10DE:1EB8", "resourceName": VGPU}]}


def cr(version: str = "v1.9.0", gate: bool = True, permitted: Object = VIRTUAL) -> Object:
    return kubevirt(version=version, developerConfiguration=GATE if gate else {}, permittedHostDevices=permitted)


def with_devices(*names: str, key: str = "hostDevices", resource: str | None = VGPU) -> Object:
    return vm(domain=devices(**{key: [{"name": name, "deviceName": resource} for name in names]}))


ONE = with_devices("g", key="gpus")
BOTH = vm(domain=devices(gpus=[{"name": "g", "deviceName": VGPU}], hostDevices=[{"name": "h"}]))
DEVICES: list[tuple[str, Object, Object, list[str], str]] = [
    # the KubeVirt CR, the VM, the devices that are denied, what the violations say
    ("host devices", cr(), with_devices("a", "b"), ["hostDevices[0]", "hostDevices[1]"], ""),
    ("a virtual GPU with all that it takes", cr(), ONE, [], ""),
    ("without the gate", cr(gate=False), ONE, ["gpus[0]"], "VGPULiveMigration"),
    ("before 1.9", cr("v1.8.4"), ONE, ["gpus[0]"], "1.9"),
    ("not permitted", cr(), with_devices("g", key="gpus", resource="x"), ["gpus[0]"], "permits"),
    ("a whole card", cr(permitted=CARD), ONE, ["gpus[0]"], "permits"),
    ("a GPU of a ResourceClaim", cr(), with_devices("g", key="gpus", resource=None), ["gpus[0]"], "permits"),
    ("several GPUs", cr(), with_devices(*"abc", key="gpus"), ["gpus[0]", "gpus[1]", "gpus[2]"], "one of 3 GPUs"),
    ("a virtual GPU beside a host device", cr(), BOTH, ["hostDevices[0]"], '"h"'),
]


@table(DEVICES, "kubevirt_cr vm_object denied words")
def test_every_device_is_denied_but_one_virtual_gpu(
    kubevirt_cr: Object, vm_object: Object, denied: list[str], words: str
) -> None:
    found = verdict(vm_object, kubevirt_cr).violations
    expected = [("host-devices", f"spec.template.spec.domain.devices.{device}") for device in denied]
    assert [(violation.rule, violation.field) for violation in found] == expected
    assert all(words in violation.message for violation in found)


BIG = vm(spec={"instancetype": {"name": "big"}})
RATCHET: list[tuple[str, Object, Object, list[bool]]] = [
    ("at another place", with_devices("a", "b"), with_devices("b", "a"), [True, True]),
    ("one more", with_devices("a"), with_devices("a", "b"), [True, False]),
    ("a GPU becomes a host device", with_devices("a", key="gpus", resource="x"), with_devices("a"), [False]),
    ("a second GPU", with_devices("a", key="gpus"), with_devices("a", "b", key="gpus"), [False, False]),
    ("now of the instancetype", with_devices("h"), BIG, [True]),
]


@table(RATCHET, "old new expected")
def test_a_device_is_preexisting_by_its_name(old: Object, new: Object, expected: list[bool]) -> None:
    assert preexisting(new, cr(), instancetype("big", hostDevices=[{"name": "h"}]), old=old) == expected
