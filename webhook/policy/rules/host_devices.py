"""host-devices: hardware of one node."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule
from webhook.wording import quoted

GATE = "VGPULiveMigration"
GATE_SINCE = (1, 9)


def find(case: Case) -> Iterator[Finding]:
    """Yield every host device, and every GPU except a single virtual GPU that a feature gate lets migrate.

    The KubeVirt CR says which GPUs are virtual and holds the gate: without a CR a finding is not certain.
    """
    hardware = case.vm.hardware
    for device in hardware.host_devices:
        what = f"host device {quoted(device.name)} belongs to its node"
        yield _finding(device.field, what, f"hostDevices/{device.name}")
    kubevirt = case.context.kubevirt
    for gpu in hardware.gpus:
        if len(hardware.gpus) > 1:
            what = f"GPU {quoted(gpu.name)} is one of {len(hardware.gpus)} GPUs"
        elif gpu.resource not in kubevirt.mediated_devices:
            what = f"GPU {quoted(gpu.name)} is not a virtual GPU that the KubeVirt CR permits"
        elif case.context.version < GATE_SINCE or GATE not in kubevirt.feature_gates:
            what = f"GPU {quoted(gpu.name)} needs KubeVirt 1.9 with the feature gate {GATE}"
        else:
            continue
        yield _finding(gpu.field, what, f"gpus/{gpu.name}", certain=kubevirt.known or len(hardware.gpus) > 1)


def _finding(field: str, what: str, device: str, *, certain: bool = True) -> Finding:
    return Finding(
        field=field,
        what=what,
        why="it cannot move to another node, so this VM cannot live-migrate",
        remedy="Remove the device, or use an instancetype without it",
        device=device,
        certain=certain,
    )


RULE = Rule(
    name="host-devices",
    reason="HostDeviceNotLiveMigratable",
    denies="host devices, and GPUs that cannot move",
    default="deny",
    source="KubeVirt 1.9 pkg/virt-handler/vm.go vmiContainsNonMigratablePCIHostDevices",
    find=find,
    reads=("domain.devices.gpus", "domain.devices.hostDevices"),
)
