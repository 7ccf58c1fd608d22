"""Facts about CDI's kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from webhook.cluster.facts.kubernetes import SourceFacts
from webhook.cluster.facts.reading import INSTANCETYPE_DOMAIN, TRIDENT_DOMAIN, of_domain
from webhook.objects import Object, at, interned, items, mapping, text, texts


@dataclass(frozen=True, slots=True)
class PropertySet:
    """An entry of a StorageProfile: a volume mode and the access modes offered with it."""

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
    """A DataVolume: its spec, from which CDI creates the PVC of the same name.

    Labels and annotations are as in `ClaimFacts`; CDI copies the annotations to the PVC.
    """

    spec: Object
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        return cls(
            mapping(at(obj, "spec")),
            of_domain(at(obj, "metadata", "labels"), INSTANCETYPE_DOMAIN),
            of_domain(at(obj, "metadata", "annotations"), TRIDENT_DOMAIN),
        )


@dataclass(frozen=True, slots=True)
class DataSourceFacts:
    """A DataSource: its source, of kind "pvc", "snapshot" or "dataSource"."""

    source: SourceFacts | None
    labels: dict[str, str] | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        found = None
        for kind in ("pvc", "snapshot", "dataSource"):
            entry = mapping(at(obj, "spec", "source", kind))
            name = text(entry.get("name"))
            if name and found is None:
                found = SourceFacts(kind, name, text(entry.get("namespace")) or "")
        return cls(found, of_domain(at(obj, "metadata", "labels"), INSTANCETYPE_DOMAIN))


@dataclass(frozen=True, slots=True)
class CloneSourceFacts:
    """A VolumeCloneSource of CDI: what its PVC is cloned from."""

    source: SourceFacts | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        found = mapping(at(obj, "spec", "source"))
        kind, name = interned(found.get("kind")), text(found.get("name"))
        return cls(SourceFacts(kind, name, text(at(obj, "metadata", "namespace")) or "") if kind and name else None)
