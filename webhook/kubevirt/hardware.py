"""The hardware of a VM, after KubeVirt has applied instancetype, preference and its defaults.

Sources: KubeVirt 1.9 ``pkg/instancetype/apply``, ``pkg/instancetype/preference/apply``, ``pkg/defaults/defaults.go``,
``pkg/network/vmispec/defaults.go`` and ``api/core/v1/defaults.go`` (a FeatureState that is set is on).
"""

from __future__ import annotations

from dataclasses import dataclass

from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt.instancetypes import Matched
from webhook.kubevirt.model import Device, Hardware, Interface, PodNetwork, Setting
from webhook.objects import Object, at, items, mapping, text

POD_BRIDGE_ANNOTATION = "kubevirt.io/allow-pod-bridge-network-live-migration"
_BINDINGS = ("masquerade", "passtBinding", "bridge", "binding", "sriov", "slirp", "macvtap", "passt")


@dataclass(frozen=True, slots=True)
class Layers:
    """Where KubeVirt takes hardware from: the VMI's spec at ``path``, its annotations, and what is applied to them."""

    spec: Object
    path: str
    annotations: Object
    matched: Matched
    kubevirt: KubeVirtFacts


def read_hardware(layers: Layers) -> Hardware:
    """Return the hardware that a VMI of the VM will have."""
    affinity = at(layers.spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    affinity_field = f"{layers.path}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
    architecture = text(layers.spec.get("architecture")) or text(layers.matched.preference.get("preferredArchitecture"))
    reenlightenment = ("features", "preferredHyperv", "reenlightenment")
    return Hardware(
        architecture=architecture or layers.kubevirt.default_architecture,
        pod_network=_pod_network(layers),
        may_move_bridge=_may_move_bridge(layers),
        gpus=_devices(layers, "gpus"),
        host_devices=_devices(layers, "hostDevices"),
        reservations=_reservations(layers),
        launch_security=_first(layers, ("domain", "launchSecurity"), ("launchSecurity",), ("preferredLaunchSecurity",)),
        reenlightenment=_if_on(
            _first(layers, ("domain", "features", "hyperv", "reenlightenment"), preference=reenlightenment)
        ),
        hyperv_passthrough=_if_on(_first(layers, ("domain", "features", "hypervPassthrough"))),
        invtsc=_has_invtsc(layers),
        node_selector=_first(layers, ("nodeSelector",), ("nodeSelector",)),
        affinity=Setting(affinity, affinity_field) if isinstance(affinity, dict) else None,
    )


def _first(
    layers: Layers,
    own: tuple[str, ...],
    instancetype: tuple[str, ...] | None = None,
    preference: tuple[str, ...] | None = None,
) -> Setting | None:
    """The setting of the VM, else of its instancetype, else of its preference."""
    found = at(layers.spec, *own)
    if isinstance(found, dict):
        return Setting(found, ".".join((layers.path, *own)))
    for name, spec, path in (
        ("instancetype", layers.matched.instancetype, instancetype),
        ("preference", layers.matched.preference, preference),
    ):
        found = at(spec, *path) if path else None
        if isinstance(found, dict):
            return Setting(found, f"{layers.matched.field}.{name}")
    return None


def _if_on(feature: Setting | None) -> Setting | None:
    """A feature that is set is on, unless it says otherwise."""
    return None if feature is None or feature.value.get("enabled") is False else feature


def _may_move_bridge(layers: Layers) -> bool:
    """KubeVirt checks that the annotation exists; its value does not matter."""
    matched = layers.matched
    applied = (layers.annotations, matched.instancetype.get("annotations"), matched.preference.get("annotations"))
    return any(POD_BRIDGE_ANNOTATION in mapping(found) for found in applied)


def _devices(layers: Layers, key: str) -> tuple[Device, ...]:
    root, found = f"{layers.path}.domain.devices.{key}", items(at(layers.spec, "domain", "devices", key))
    fields = [f"{root}[{index}]" for index in range(len(found))]
    if not found:
        found = items(layers.matched.instancetype.get(key))
        fields = [f"{layers.matched.field}.instancetype"] * len(found)
    return tuple(
        Device(text(at(entry, "name")) or "", text(at(entry, "deviceName")), field)
        for entry, field in zip(found, fields, strict=True)
    )


def _reservations(layers: Layers) -> tuple[Device, ...]:
    root = f"{layers.path}.domain.devices.disks"
    disks = enumerate(items(at(layers.spec, "domain", "devices", "disks")))
    return tuple(
        Device(text(at(disk, "name")) or "", None, f"{root}[{index}].lun.reservation")
        for index, disk in disks
        if at(disk, "lun", "reservation") is True
    )


def _has_invtsc(layers: Layers) -> bool:
    """A preferred CPU feature counts where the VM does not name the feature itself."""
    own = items(at(layers.spec, "domain", "cpu", "features"))
    named = {at(feature, "name") for feature in own if isinstance(at(feature, "name"), str)}
    preferred = items(at(layers.matched.preference, "cpu", "preferredCPUFeatures"))
    features = (*own, *(feature for feature in preferred if text(at(feature, "name")) not in named))
    return any(at(found, "name") == "invtsc" and at(found, "policy") in ("require", "force") for found in features)


def _pod_network(layers: Layers) -> PodNetwork | None:
    """The pod network and its interface; KubeVirt adds both to a VM that names neither network nor interface."""
    networks, interfaces = items(layers.spec.get("networks")), items(at(layers.spec, "domain", "devices", "interfaces"))
    if not networks and not interfaces:
        return _default_network(layers)
    for index, network in enumerate(networks):
        if isinstance(at(network, "pod"), dict) and interfaces:
            name = text(at(network, "name")) or ""
            return PodNetwork(name, _interface(layers, name), f"{layers.path}.networks[{index}]")
    return None


def _default_network(layers: Layers) -> PodNetwork | None:
    own = at(layers.spec, "domain", "devices", "autoattachPodInterface")
    preferred = at(layers.matched.preference, "devices", "preferredAutoattachPodInterface")
    if (preferred if own is None else own) is False:
        return None
    field = f"{layers.path}.domain.devices.interfaces"
    interface = Interface("default", layers.kubevirt.default_interface, None, (), field)
    return PodNetwork("default", interface, field, by_default=True)


def _interface(layers: Layers, name: str) -> Interface | None:
    root = f"{layers.path}.domain.devices.interfaces"
    for index, entry in enumerate(items(at(layers.spec, "domain", "devices", "interfaces"))):
        if at(entry, "name") == name:
            ports = (at(port, "port") for port in items(at(entry, "ports")))
            numbers = tuple(port for port in ports if isinstance(port, int))
            plugin = text(at(entry, "binding", "name"))
            return Interface(name, _binding(layers, entry), plugin, numbers, f"{root}[{index}]")
    return None


def _binding(layers: Layers, interface: object) -> str | None:
    """The binding that the interface names; without one, the preference's masquerade."""
    preferred = at(layers.matched.preference, "devices", "preferredInterfaceMasquerade")
    default = "masquerade" if isinstance(preferred, dict) else None
    return next((key for key in _BINDINGS if isinstance(at(interface, key), dict)), default)
