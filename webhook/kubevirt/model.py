"""A VM as the policy sees it, whatever kind of object declares it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from webhook.objects import Object


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of a VM: an entry of ``spec.volumes``, or a pending ``status.volumeRequests`` that adds one.

    ``source`` is KubeVirt's key for its source ("persistentVolumeClaim", "hostDisk", …), None where there is none;
    ``body`` is the value of that key; ``claim`` the name of the PVC behind it; ``field`` the path that a user would
    edit. A PVC that is ``attached`` is the disk itself, otherwise only the base of a disk on the node.
    """

    name: str
    source: str | None
    body: Object
    claim: str | None
    field: str
    attached: bool


@dataclass(frozen=True, slots=True)
class DataVolumeTemplate:
    """An entry of ``spec.dataVolumeTemplates``: KubeVirt creates a DataVolume from it, CDI a PVC from that.

    ``field`` is the path of the part that describes the PVC; ``annotations`` are Trident's, without their domain.
    """

    spec: Object
    field: str
    annotations: Object = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU, a host device, or a disk with a reservation; ``resource`` is the device plugin's name for it."""

    name: str
    resource: str | None
    field: str


@dataclass(frozen=True, slots=True)
class Interface:
    """The interface on the pod network.

    ``binding`` is KubeVirt's key ("masquerade", "bridge", "binding", …), None where there is none; ``plugin`` the name
    of a binding plugin; ``ports`` the port numbers of a port list.
    """

    name: str
    binding: str | None
    plugin: str | None
    ports: tuple[int, ...]
    field: str


@dataclass(frozen=True, slots=True)
class PodNetwork:
    """The pod network of a VM that has interfaces; ``interface`` is None where none has its name.

    ``by_default`` says that the VM names neither network nor interface, and KubeVirt adds both.
    """

    name: str
    interface: Interface | None
    field: str
    by_default: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """A value with the field path that sets it."""

    value: Object
    field: str


@dataclass(frozen=True, slots=True)
class Hardware:
    """The hardware of a VM without its volumes, with instancetype, preference and KubeVirt's defaults applied.

    ``launch_security``, ``reenlightenment`` and ``hyperv_passthrough`` are None where they are off. ``invtsc`` says
    that the guest needs a fixed TSC frequency to boot. ``affinity`` is the required node affinity.
    """

    architecture: str
    pod_network: PodNetwork | None = None
    may_move_bridge: bool = False
    gpus: tuple[Device, ...] = ()
    host_devices: tuple[Device, ...] = ()
    reservations: tuple[Device, ...] = ()
    launch_security: Setting | None = None
    reenlightenment: Setting | None = None
    hyperv_passthrough: Setting | None = None
    invtsc: bool = False
    node_selector: Setting | None = None
    affinity: Setting | None = None


@dataclass(frozen=True, slots=True)
class VM:
    """What is evaluated. ``template`` is the object that becomes the VMI's spec, at ``template_path`` in its object.

    ``eviction_strategy`` is None where unset. ``has_instance`` says that a VirtualMachine runs or is starting.
    ``not_evaluated`` says, a phrase each, what could not be found. ``migrated_volumes`` are being moved to another PVC,
    ``former_claims`` are the PVCs that they leave. ``matchers`` are its instancetype and preference, by field and name
    ("instancetype/large"), ``missing_matchers`` those of them that do not exist.
    """

    kind: str
    namespace: str
    name: str
    template: Object | None
    template_path: tuple[str, ...]
    volumes: tuple[Volume, ...]
    data_volume_templates: dict[str, DataVolumeTemplate]
    eviction_strategy: str | None
    has_instance: bool
    hardware: Hardware
    not_evaluated: tuple[str, ...] = ()
    migrated_volumes: frozenset[str] = frozenset()
    former_claims: frozenset[str] = frozenset()
    matchers: frozenset[str] = frozenset()
    missing_matchers: frozenset[str] = frozenset()

    @property
    def declared_claims(self) -> frozenset[str]:
        """The PVCs of its volumes, without those of pending volume requests."""
        return frozenset(v.claim for v in self.volumes if v.claim and not v.field.startswith("status."))

    @property
    def eviction_field(self) -> str:
        """The field path of the eviction strategy."""
        return ".".join((*self.template_path, "evictionStrategy"))
