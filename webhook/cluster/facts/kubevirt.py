"""Facts about KubeVirt's kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from webhook.cluster.facts.kubernetes import ClaimFacts
from webhook.cluster.facts.reading import INSTANCETYPE_DOMAIN, name_of
from webhook.names import UNVERIFIED, names_in_annotation
from webhook.objects import Object, at, interned, items, mapping, text, texts


@dataclass(frozen=True, slots=True)
class KubeVirtFacts:
    """The KubeVirt CR: its version, and its defaults for fields that VMs leave unset.

    ``migratable_bindings`` are the network binding plugins that declare a migration method; ``mediated_devices`` the
    resource names of permitted virtual GPUs; ``minimum_tsc_frequency`` is in Hz. Without a ``known`` CR all are
    KubeVirt's defaults, which may differ from the cluster's.
    """

    known: bool = False
    namespace: str = ""
    version: str | None = None
    eviction_strategy: str | None = None
    default_interface: str = "bridge"
    migratable_bindings: frozenset[str] = frozenset()
    mediated_devices: frozenset[str] = frozenset()
    feature_gates: frozenset[str] = frozenset()
    default_architecture: str = "amd64"
    minimum_tsc_frequency: int | None = None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object, with KubeVirt's default for a field that is unset."""
        config = mapping(at(obj, "spec", "configuration"))
        developer = mapping(config.get("developerConfiguration"))
        bindings = mapping(at(config, "network", "binding"))
        devices = items(at(config, "permittedHostDevices", "mediatedDevices"))
        frequency = developer.get("minimumClusterTSCFrequency")
        return cls(
            known=True,
            namespace=interned(at(obj, "metadata", "namespace")) or "",
            version=text(at(obj, "status", "observedKubeVirtVersion")),
            eviction_strategy=text(config.get("evictionStrategy")),
            default_interface=text(at(config, "network", "defaultNetworkInterface")) or "bridge",
            migratable_bindings=frozenset(
                name for name, plugin in bindings.items() if isinstance(at(plugin, "migration"), Mapping)
            ),
            mediated_devices=frozenset(filter(None, (text(at(device, "resourceName")) for device in devices))),
            feature_gates=frozenset(texts(developer.get("featureGates"))),
            default_architecture=text(at(obj, "status", "defaultArchitecture")) or "amd64",
            minimum_tsc_frequency=frequency if isinstance(frequency, int) else None,
        )


@dataclass(frozen=True, slots=True)
class SpecFacts:
    """An instancetype or a preference: its spec."""

    spec: Object

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        return cls(mapping(mapping(obj).get("spec")))


@dataclass(frozen=True, slots=True)
class RevisionFacts:
    """A ControllerRevision in which KubeVirt stores an instancetype or a preference."""

    of: str | None
    spec: Object

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object; ``of`` is the name of what is stored."""
        return cls(
            of=text(at(obj, "metadata", "labels", f"{INSTANCETYPE_DOMAIN}object-name")),
            spec=mapping(at(obj, "data", "spec")),
        )


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """A VirtualMachine, ReplicaSet, Pool, restore or clone, whole: what KubeVirt creates a VM or VMI for."""

    uid: str | None
    obj: Object

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        return cls(text(at(obj, "metadata", "uid")), obj)


@dataclass(frozen=True, slots=True)
class UnverifiedFacts:
    """An unverified VM and the names in its annotation; its metadata is enough."""

    namespace: str
    name: str
    names: frozenset[str]

    @classmethod
    def read(cls, obj: Object) -> Self | None:
        """Take the facts from an object or its metadata; None where it has no annotation."""
        names = names_in_annotation(at(obj, "metadata", "annotations", UNVERIFIED))
        return cls(interned(at(obj, "metadata", "namespace")) or "", name_of(obj), names) if names else None


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """A VirtualMachineInstance: the PVCs that it mounts."""

    claims: frozenset[str]

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        volumes = items(at(obj, "spec", "volumes"))
        found = (
            text(at(volume, "persistentVolumeClaim", "claimName")) or text(at(volume, "dataVolume", "name"))
            for volume in volumes
        )
        return cls(frozenset(filter(None, found)))


@dataclass(frozen=True, slots=True)
class VMSnapshotFacts:
    """A VirtualMachineSnapshot: its content, None until it is ready."""

    content: str | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        ready = at(obj, "status", "readyToUse") is True
        return cls(text(at(obj, "status", "virtualMachineSnapshotContentName")) if ready else None)


@dataclass(frozen=True, slots=True)
class VMSnapshotContentFacts:
    """A VirtualMachineSnapshotContent: the VM as it was, and its PVCs by name."""

    vm: Object
    claims: tuple[tuple[str, ClaimFacts], ...]

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        backups = (mapping(at(backup, "persistentVolumeClaim")) for backup in items(at(obj, "spec", "volumeBackups")))
        return cls(
            vm=mapping(at(obj, "spec", "source", "virtualMachine")),
            claims=tuple((name_of(claim), ClaimFacts.read(claim)) for claim in backups),
        )
