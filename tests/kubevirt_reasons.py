"""Why KubeVirt, by version, would not live-migrate a VMI: independent of the rules, so nothing of them is imported."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Spec = dict[str, Any]
Version = tuple[int, int]
ALLOW_BRIDGE = "kubevirt.io/allow-pod-bridge-network-live-migration"
RWX = "ReadWriteMany"


@dataclass(frozen=True)
class Instance:
    """A VMI, where it runs, and the access modes of its PVCs by name."""

    spec: Spec
    version: Version
    annotations: dict[str, str] = field(default_factory=dict)
    claims: dict[str, list[str]] = field(default_factory=dict)
    config: Spec = field(default_factory=dict)
    tsc_frequency: int = 0
    moving: frozenset[str] = frozenset()

    def part(self, *path: str) -> Any:
        """Return what stands at a path of the domain, or None."""
        found: Any = self.spec.get("domain")
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found


def _interface(of: Instance) -> bool:
    networks, interfaces = of.spec.get("networks") or [], of.part("devices", "interfaces") or []
    if not networks and not interfaces:
        if of.part("devices", "autoattachPodInterface") is False:
            return False
        binding = of.config.get("network", {}).get("defaultNetworkInterface", "bridge")
        networks, interfaces = [{"name": "default", "pod": {}}], [{"name": "default", binding: {}}]
    pod = next((network["name"] for network in networks if "pod" in network), None)
    if pod is None or not interfaces:
        return False
    mine = next((interface for interface in interfaces if interface["name"] == pod), None)
    if mine is None:
        return of.version >= (1, 7)
    if "binding" in mine:
        plugins = of.config.get("network", {}).get("binding", {})
        return "migration" not in plugins.get(mine["binding"]["name"], {})
    if "passtBinding" in mine:
        return of.version < (1, 7)
    return "masquerade" not in mine and not ("bridge" in mine and ALLOW_BRIDGE in of.annotations)


def _host_device(of: Instance) -> bool:
    gpus = of.part("devices", "gpus") or []
    if of.part("devices", "hostDevices") or len(gpus) > 1:
        return True
    permitted = of.config.get("permittedHostDevices", {}).get("mediatedDevices", [])
    gates = of.config.get("developerConfiguration", {}).get("featureGates", [])
    moves = of.version >= (1, 9) and "VGPULiveMigration" in gates
    virtual = {device["resourceName"] for device in permitted}
    return bool(gpus) and not (moves and gpus[0].get("deviceName") in virtual)


def _sev(of: Instance) -> bool:
    asked = of.part("launchSecurity") or {}
    return "sev" in asked or ("snp" in asked and of.version >= (1, 7))


def _tdx(of: Instance) -> bool:
    return "tdx" in (of.part("launchSecurity") or {}) and of.version >= (1, 7)


def _secure_execution(of: Instance) -> bool:
    asked = of.part("launchSecurity") is not None
    return asked and of.spec.get("architecture") == "s390x" and of.version >= (1, 6)


def _reservation(of: Instance) -> bool:
    luns = [disk.get("lun", {}) for disk in of.part("devices", "disks") or []]
    return any(lun.get("reservation") for lun in luns) and of.version < (1, 9)


def _tsc(of: Instance) -> bool:
    feature = of.part("features", "hyperv", "reenlightenment")
    if feature is None or feature.get("enabled", True) is False:
        return False
    features = of.part("cpu", "features") or []
    boots_with = {found["policy"] for found in features if found["name"] == "invtsc"}
    amd64 = of.spec.get("architecture", "amd64") == "amd64"
    return boots_with.isdisjoint({"require", "force"}) and not (amd64 and of.tsc_frequency)


def _passthrough(of: Instance) -> bool:
    feature = of.part("features", "hypervPassthrough")
    return feature is not None and feature.get("enabled", True) is not False


def _disks(of: Instance) -> bool:
    for volume in of.spec.get("volumes") or []:
        claim = volume.get("persistentVolumeClaim", {}).get("claimName") or volume.get("dataVolume", {}).get("name")
        if claim and volume["name"] not in of.moving and RWX not in of.claims.get(claim, []):
            return True
        if "hostDisk" in volume and volume["hostDisk"].get("shared") is not True:
            return True
    return False


REASONS: dict[str, Callable[[Instance], bool]] = {
    "InterfaceNotLiveMigratable": _interface,
    "HostDeviceNotLiveMigratable": _host_device,
    "SEVNotLiveMigratable": _sev,
    "TDXNotLiveMigratable": _tdx,
    "SecureExecutionNotLiveMigratable": _secure_execution,
    "PersistentReservationNotLiveMigratable": _reservation,
    "NoTSCFrequencyNotLiveMigratable": _tsc,
    "HypervPassthroughNotLiveMigratable": _passthrough,
    "DisksNotLiveMigratable": _disks,
}
"""In the order in which KubeVirt checks since 1.6: it reports only the first."""


def reasons_of(instance: Instance) -> list[str]:
    """Return every reason that holds, in KubeVirt's order."""
    return [reason for reason, holds in REASONS.items() if holds(instance)]
