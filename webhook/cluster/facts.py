"""Slim facts: of each object only what a verdict can rest on.

A live cluster keeps tens of thousands of these, so they are small, immutable and share their strings. Each class is
made from an object as the API server sends it by its ``read``, which never raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from webhook.objects import Object, at, interned, items, mapping, string_map, text, texts

BETA_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """A PersistentVolumeClaim. ``storage_class`` is None where unset and "" where set to nothing."""

    access_modes: tuple[str, ...]
    volume_mode: str
    storage_class: str | None
    volume_name: str | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object; an unset volumeMode is Filesystem, as the API server defaults it."""
        beta = text(at(obj, "metadata", "annotations", BETA_CLASS_ANNOTATION))
        declared = at(obj, "spec", "storageClassName")
        return cls(
            access_modes=texts(at(obj, "spec", "accessModes")),
            volume_mode=interned(at(obj, "spec", "volumeMode")) or "Filesystem",
            storage_class=beta or (declared if isinstance(declared, str) else None),
            volume_name=text(at(obj, "spec", "volumeName")),
        )


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """A PersistentVolume: who serves it, and what Trident wrote into its attributes."""

    csi_driver: str | None
    protocol: str | None
    backend_uuid: str | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        csi = mapping(at(obj, "spec", "csi"))
        return cls(
            csi_driver=interned(csi.get("driver")),
            protocol=interned(at(csi, "volumeAttributes", "protocol")),
            backend_uuid=interned(at(csi, "volumeAttributes", "backendUUID")),
        )


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """A StorageClass, with the two default marks that Kubernetes and KubeVirt know."""

    name: str
    provisioner: str
    parameters: dict[str, str]
    annotations: dict[str, str]
    created: str
    is_default: bool
    is_virt_default: bool

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        annotations = string_map(at(obj, "metadata", "annotations"))
        return cls(
            name=_name(obj),
            provisioner=text(mapping(obj).get("provisioner")) or "",
            parameters=string_map(mapping(obj).get("parameters")),
            annotations=annotations,
            created=text(at(obj, "metadata", "creationTimestamp")) or "",
            is_default=annotations.get("storageclass.kubernetes.io/is-default-class") == "true",
            is_virt_default=annotations.get("storageclass.kubevirt.io/is-default-virt-class") == "true",
        )


@dataclass(frozen=True, slots=True)
class PropertySet:
    """An entry of a StorageProfile: a volume mode and the access modes it can be had with."""

    access_modes: tuple[str, ...]
    volume_mode: str | None


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """A StorageProfile's ``status.claimPropertySets``, in their order; ``written`` once CDI wrote the status."""

    written: bool
    property_sets: tuple[PropertySet, ...]

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        return cls(
            written=bool(mapping(mapping(obj).get("status"))),
            property_sets=tuple(
                PropertySet(texts(at(entry, "accessModes")), interned(at(entry, "volumeMode")))
                for entry in items(at(obj, "status", "claimPropertySets"))
            ),
        )


@dataclass(frozen=True, slots=True)
class DataVolumeFacts:
    """A DataVolume: its spec, from which CDI makes the claim of the same name."""

    spec: Object

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        return cls(spec=mapping(mapping(obj).get("spec")))


@dataclass(frozen=True, slots=True)
class BackendFacts:
    """A TridentBackend: the driver behind a backend's UUID."""

    name: str
    uuid: str | None
    driver: str | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object: its ``config`` holds one key a driver family."""
        drivers = [interned(at(family, "storageDriverName")) for family in mapping(mapping(obj).get("config")).values()]
        return cls(
            name=_name(obj),
            uuid=interned(mapping(obj).get("backendUUID")),
            driver=next((driver for driver in drivers if driver), None),
        )


@dataclass(frozen=True, slots=True)
class KubeVirtFacts:
    """The KubeVirt CR: what it says for machines that leave a field unset."""

    namespace: str
    eviction_strategy: str | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        return cls(
            namespace=interned(at(obj, "metadata", "namespace")) or "",
            eviction_strategy=text(at(obj, "spec", "configuration", "evictionStrategy")),
        )


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A Node: whether KubeVirt may place a machine on it, as far as the object says."""

    name: str
    unschedulable: bool
    kubevirt_schedulable: bool | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object; ``kubevirt_schedulable`` is None where virt-handler set no label."""
        label: Any = at(obj, "metadata", "labels", "kubevirt.io/schedulable")
        return cls(
            name=_name(obj),
            unschedulable=at(obj, "spec", "unschedulable") is True,
            kubevirt_schedulable=None if label is None else label == "true",
        )


def _name(obj: Object) -> str:
    return text(at(obj, "metadata", "name")) or ""
