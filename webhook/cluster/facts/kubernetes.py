"""Facts about Kubernetes' own kinds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from webhook.cluster.facts.reading import INSTANCETYPE_DOMAIN, TRIDENT_DOMAIN, name_of, of_domain
from webhook.names import REASON, is_ours
from webhook.objects import Object, at, interned, mapping, string_map, text, texts

APPLY_PROFILE_LABEL = "cdi.kubevirt.io/applyStorageProfile"
BETA_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What a PVC is filled from. ``namespace`` is "" where it is the PVC's own."""

    kind: str
    name: str
    namespace: str

    @classmethod
    def read(cls, obj: Object) -> SourceFacts | None:
        """Take ``dataSourceRef``, else ``dataSource``, or None where the PVC starts empty."""
        for key in ("dataSourceRef", "dataSource"):
            found = mapping(at(obj, "spec", key))
            kind, name = interned(found.get("kind")), text(found.get("name"))
            if kind and name:
                return cls(kind, name, text(found.get("namespace")) or "")
        return None


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """A PersistentVolumeClaim. ``storage_class`` is None where unset, "" where set to that.

    ``annotations`` are those of Trident's domain, ``labels`` those of KubeVirt's instancetypes, without the
    domain; None where there are none. ``made_on`` is the day (UTC) of its creation.
    """

    access_modes: tuple[str, ...]
    volume_mode: str
    storage_class: str | None
    volume_name: str | None
    source: SourceFacts | None = None
    annotations: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    leaves_modes_to_cdi: bool = False
    made_on: str | None = None

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
            source=SourceFacts.read(obj),
            annotations=of_domain(at(obj, "metadata", "annotations"), TRIDENT_DOMAIN),
            labels=of_domain(at(obj, "metadata", "labels"), INSTANCETYPE_DOMAIN),
            leaves_modes_to_cdi=at(obj, "metadata", "labels", APPLY_PROFILE_LABEL) == "true"
            and (not at(obj, "spec", "accessModes") or at(obj, "spec", "volumeMode") == "FromStorageProfile"),
            made_on=interned((text(at(obj, "metadata", "creationTimestamp")) or "")[:10]),
        )


@dataclass(frozen=True, slots=True)
class PersistentVolumeFacts:
    """A PersistentVolume: who serves it, and what Trident wrote into its attributes.

    ``provisioner`` is None for a manually created volume; ``in_tree`` is "nfs" or "iscsi" for a volume without CSI.
    """

    csi_driver: str | None
    handle: str | None
    protocol: str | None
    backend_uuid: str | None
    provisioner: str | None
    in_tree: str | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        csi = mapping(at(obj, "spec", "csi"))
        return cls(
            csi_driver=interned(csi.get("driver")),
            protocol=interned(at(csi, "volumeAttributes", "protocol")),
            backend_uuid=interned(at(csi, "volumeAttributes", "backendUUID")),
            handle=text(csi.get("volumeHandle")),
            provisioner=interned(at(obj, "metadata", "annotations", "pv.kubernetes.io/provisioned-by")),
            in_tree=next((kind for kind in ("nfs", "iscsi") if isinstance(at(obj, "spec", kind), dict)), None),
        )


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """A StorageClass; Kubernetes and KubeVirt each have an annotation for the default class."""

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
            name=name_of(obj),
            provisioner=text(mapping(obj).get("provisioner")) or "",
            parameters=string_map(mapping(obj).get("parameters")),
            annotations=annotations,
            created=text(at(obj, "metadata", "creationTimestamp")) or "",
            is_default=annotations.get("storageclass.kubernetes.io/is-default-class") == "true",
            is_virt_default=annotations.get("storageclass.kubevirt.io/is-default-virt-class") == "true",
        )


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """A VolumeSnapshot: the PVC it was taken of, its content, and labels as in `ClaimFacts`."""

    claim: str | None
    content: str | None
    labels: dict[str, str] | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        return cls(
            claim=text(at(obj, "spec", "source", "persistentVolumeClaimName")),
            content=text(at(obj, "status", "boundVolumeSnapshotContentName"))
            or text(at(obj, "spec", "source", "volumeSnapshotContentName")),
            labels=of_domain(at(obj, "metadata", "labels"), INSTANCETYPE_DOMAIN),
        )


@dataclass(frozen=True, slots=True)
class SnapshotContentFacts:
    """A VolumeSnapshotContent: the driver, and its handle, which for Trident is VOLUME/SNAPSHOT."""

    driver: str | None
    handle: str | None
    volume_mode: str | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        return cls(
            driver=interned(at(obj, "spec", "driver")),
            handle=text(at(obj, "status", "snapshotHandle")) or text(at(obj, "spec", "source", "snapshotHandle")),
            volume_mode=interned(at(obj, "spec", "sourceVolumeMode")),
        )


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A Node: whether KubeVirt may schedule a VM on it, and what pins VMs to it.

    ``kubevirt_schedulable`` is None without virt-handler's label; ``tsc_frequency`` is in Hz, None where not offered.
    """

    name: str
    labels: dict[str, str]
    unschedulable: bool
    kubevirt_schedulable: bool | None
    tsc_frequency: int | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        labels = string_map(at(obj, "metadata", "labels"))
        schedulable = labels.get("kubevirt.io/schedulable")
        frequency = labels.get("cpu-timer.node.kubevirt.io/tsc-frequency", "")
        return cls(
            name=name_of(obj),
            labels=labels,
            unschedulable=at(obj, "spec", "unschedulable") is True,
            kubevirt_schedulable=None if schedulable is None else schedulable == "true",
            tsc_frequency=int(frequency) if re.fullmatch("[0-9]{1,18}", frequency) else None,
        )


@dataclass(frozen=True, slots=True)
class NamespaceFacts:
    """A Namespace: our own labels, and the exemption's reason."""

    labels: dict[str, str]
    reason: str | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        labels = string_map(at(obj, "metadata", "labels"))
        return cls(
            labels={key: value for key, value in labels.items() if is_ours(key)},
            reason=text(at(obj, "metadata", "annotations", REASON)),
        )
