"""For every rule a VM that violates it, its remedy word by word, and what doing so changes."""

from dataclasses import dataclass, field
from typing import Any

from tests.build import (
    ROX,
    RWX,
    Object,
    claim,
    data_volume,
    data_volume_disk,
    disk,
    host_disk,
    kubevirt,
    node,
    storage_class,
    templated_vm,
    vm,
)
from tests.build_facts import instancetype, preference
from tests.build_paths import tagged
from tests.policy.samples import OLD_KUBEVIRT, SMB, devices, ephemeral, hyperv, interface

SPEC = "/spec/template/spec"
DOMAIN = f"{SPEC}/domain"
CLAIM = f"{SPEC}/volumes/0/persistentVolumeClaim/claimName"
OVERLAID = f"{SPEC}/volumes/0/ephemeral/persistentVolumeClaim/claimName"
SHARED = "accessModes [ReadWriteMany]"
HOSTNAME = "kubernetes.io/hostname"
NODES = tuple(node(name, labels={"zone": zone}) for name, zone in (("a", "east"), ("b", "east"), ("c", "west")))
NIC = {"name": "nic", "deviceName": "intel.com/nic"}
RESERVED = devices(disks=[{"name": "good", "lun": {"reservation": True}}])
BEYOND, ON_NAS = {"storageClassName": "gone"}, {"storageClassName": "nas"}
LEFT_TO_CDI = tagged(claim("open", storage_class="gone"), labels={"cdi.kubevirt.io/applyStorageProfile": "true"})


@dataclass(frozen=True)
class Variant:
    """What doing a part of a remedy changes: a JSON Patch of the VM, or the other objects."""

    patch: list[Object] = field(default_factory=list)
    objects: tuple[Object, ...] | None = None


@dataclass(frozen=True)
class Broken:
    """A VM that violates a rule, the other objects, and its remedy: by its words, what doing so changes."""

    vm_object: Object
    remedy: str
    variants: dict[str, Variant]
    objects: tuple[Object, ...] = ()


def put(path: str, value: Any) -> Variant:
    """Set a field, whether it is there or not."""
    return Variant([{"op": "add", "path": path, "value": value}])


def drop(path: str) -> Variant:
    """Remove a field."""
    return Variant([{"op": "remove", "path": path}])


def there(*objects: Object) -> Variant:
    """Leave the VM as it is, with these other objects."""
    return Variant(objects=objects)


def only(vm_object: Object, remedy: str, change: Variant, *objects: Object) -> Broken:
    """Return a VM that violates a rule whose remedy is one change."""
    return Broken(vm_object, remedy, {remedy: change}, objects)


def matched(kind: str, remedy: str, words: str, change: Variant | None = None, **spec: Any) -> Broken:
    """Return a VM that violates a rule by its instancetype or preference: the words take a plain one, or ``change``."""
    special = {"instancetype": instancetype, "preference": preference}[kind]("special", **spec)
    objects = (instancetype("plain"), preference("plain"), special, node("a"), node("b"))
    variants = {words: change or put(f"/spec/{kind}/name", "plain")}
    return Broken(vm(disk("good"), spec={kind: {"name": "special"}}), remedy, variants, objects)


def required(*names: str) -> Object:
    """Return the affinity that requires one of these nodes."""
    term = {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": list(names)}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}


DEVICE = "Remove the device, or use an instancetype without it"
SECRET = "Remove launchSecurity, or use an instancetype or preference without it"
WIDEN = "Widen nodeSelector and affinity to at least two nodes"
UNBOUND = vm(networks=[{"name": "pods", "pod": {}}], domain=devices(interfaces=[{"name": "x", "masquerade": {}}]))
NETWORK = "Name the pod network under networks, and an interface for it with masquerade: {}"
MASQUERADED = Variant(
    [{"op": "add", "path": f"{SPEC}/{name}", "value": value} for name, value in interface(masquerade={}).items()]
)
PASSTHROUGH = "Remove it, and name the Hyper-V features that the guest needs under features.hyperv"
CLOCK_OFF = "Set domain.features.hyperv.reenlightenment.enabled to false"
CLOCK = f"{CLOCK_OFF}, or let the nodes offer an invariant TSC"
TURNED_OFF = put(f"{DOMAIN}/features/hyperv/reenlightenment/enabled", False)
NFS = (storage_class("nfs", nasType="nfs"), claim("export", RWX, storage_class="nfs"))

REMEDIES: dict[str, list[Broken]] = {
    "claim-known": [
        Broken(
            vm(disk("nowhere")),
            "Create the PVC or the DataVolume first, or correct its name",
            {
                "Create the PVC": there(claim("nowhere", RWX)),
                "the DataVolume first": there(data_volume("nowhere", storage=ON_NAS)),
                "correct its name": put(CLAIM, "good"),
            },
        ),
        only(
            templated_vm("d", spec={"storage": BEYOND}),
            "Correct spec.dataVolumeTemplates[0].spec.storage",
            put("/spec/dataVolumeTemplates/0/spec/storage/storageClassName", "nas"),
        ),
        only(
            vm(data_volume_disk("d")),
            'Correct DataVolume "d" and create it again',
            there(data_volume("d", storage=ON_NAS)),
            data_volume("d", storage=BEYOND),
        ),
        only(vm(disk("open")), "Correct the PVC's class and modes", there(claim("open", RWX)), LEFT_TO_CDI),
    ],
    "ephemeral-claim": [
        Broken(
            vm(ephemeral("root", "once")),
            "Use a PVC with accessModes [ReadWriteMany] or [ReadOnlyMany], on SAN with volumeMode Block",
            {
                "accessModes [ReadWriteMany]": put(OVERLAID, "good"),
                "[ReadOnlyMany]": put(OVERLAID, "read"),
                "on SAN with volumeMode Block": put(OVERLAID, "good-block"),
            },
            (claim("read", ROX),),
        )
    ],
    "eviction-strategy": [
        Broken(
            vm(disk("good"), evictionStrategy="None"),
            "Remove the field or set it to LiveMigrate",
            {
                "Remove the field": drop(f"{SPEC}/evictionStrategy"),
                "set it to LiveMigrate": put(f"{SPEC}/evictionStrategy", "LiveMigrate"),
            },
        )
    ],
    "host-devices": [
        Broken(
            vm(domain=devices(hostDevices=[NIC])),
            DEVICE,
            {"Remove the device": drop(f"{DOMAIN}/devices/hostDevices/0")},
        ),
        matched("instancetype", DEVICE, "use an instancetype without it", hostDevices=[NIC]),
    ],
    "host-disk": [
        Broken(
            vm(host_disk("root")),
            f"Put the disk on a PVC with {SHARED}, or set shared: true where every node sees the same file",
            {
                f"Put the disk on a PVC with {SHARED}": put(f"{SPEC}/volumes", [disk("good", "root")]),
                "set shared: true": put(f"{SPEC}/volumes/0/hostDisk/shared", True),
            },
        )
    ],
    "hyperv-passthrough": [
        only(
            vm(domain={"features": {"hypervPassthrough": {"enabled": True}}}),
            PASSTHROUGH,
            put(f"{DOMAIN}/features", {"hyperv": {"relaxed": {"enabled": True}}}),
        )
    ],
    "launch-security": [
        Broken(
            vm(domain={"launchSecurity": {"sev": {}}}),
            SECRET,
            {"Remove launchSecurity": drop(f"{DOMAIN}/launchSecurity")},
        ),
        matched("instancetype", SECRET, "use an instancetype", launchSecurity={"tdx": {}}),
        matched("preference", SECRET, "preference without it", preferredLaunchSecurity={"snp": {}}),
    ],
    "migration-ports": [
        only(
            vm(**interface(masquerade={}, ports=[{"port": 22}, {"port": 49152}])),
            "Use other ports",
            put(f"{DOMAIN}/devices/interfaces/0/ports", [{"port": 22}, {"port": 8080}]),
        )
    ],
    "node-pinned": [
        only(vm(nodeSelector={HOSTNAME: "a"}), WIDEN, put(f"{SPEC}/nodeSelector", {"zone": "east"}), *NODES),
        only(vm(affinity=required("a")), WIDEN, put(f"{SPEC}/affinity", required("a", "c")), *NODES),
    ],
    "persistent-reservation": [
        Broken(
            vm(disk("good"), domain=RESERVED),
            "Remove reservation: true from the disk, or upgrade KubeVirt to 1.9",
            {
                "Remove reservation: true from the disk": drop(f"{DOMAIN}/devices/disks/0/lun/reservation"),
                "upgrade KubeVirt to 1.9": there(kubevirt(version="v1.9.0")),
            },
            (OLD_KUBEVIRT,),
        )
    ],
    "pod-network": [
        only(vm(**interface(bridge={})), NETWORK, MASQUERADED),
        only(vm(), NETWORK, MASQUERADED, kubevirt(network={"defaultNetworkInterface": "bridge"})),
        only(UNBOUND, NETWORK, MASQUERADED),
    ],
    "san-block": [
        Broken(
            vm(disk("san-fs")),
            f"Use another PVC, with {SHARED} and volumeMode Block, or {SHARED} and a storageClassName on ontap-nas",
            {
                f"{SHARED} and volumeMode Block": put(CLAIM, "good-block"),
                f"{SHARED} and a storageClassName on ontap-nas": put(CLAIM, "good"),
            },
        )
    ],
    "shared-access": [only(vm(disk("once")), f"Use another PVC, with {SHARED}", put(CLAIM, "good"))],
    "smb-share": [
        only(
            vm(disk("share")),
            "Use a PVC of a StorageClass with nasType nfs",
            put(CLAIM, "export"),
            *(SMB, claim("share", RWX, storage_class="smb"), *NFS),
        )
    ],
    "tsc-frequency": [
        Broken(
            vm(domain=hyperv(reenlightenment={"enabled": True})),
            CLOCK,
            {CLOCK_OFF: TURNED_OFF, "let the nodes offer an invariant TSC": there(node("a", tsc=2_500_000_000))},
            (node("a"), node("b")),
        ),
        matched(
            *("preference", CLOCK, CLOCK_OFF, put(DOMAIN, hyperv(reenlightenment={"enabled": False}))),
            features={"preferredHyperv": {"reenlightenment": {}}},
        ),
        only(vm(domain=hyperv(reenlightenment={}), architecture="arm64"), CLOCK_OFF, TURNED_OFF),
    ],
}
"""By rule."""
