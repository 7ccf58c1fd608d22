"""Facts about Trident's kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from webhook.cluster.facts.reading import lower, name_of
from webhook.objects import Object, at, interned, items, mapping, string_map, text


@dataclass(frozen=True, slots=True)
class BackendFacts:
    """A TridentBackend: the driver behind a backend's UUID, and the labels that select its pools.

    ``pool_labels`` holds the labels of each virtual pool, or of the one pool that a backend without virtual pools has.
    """

    name: str
    namespace: str
    uuid: str | None
    backend_name: str | None
    driver: str | None
    san_type: str | None
    nas_type: str | None
    online: bool
    pool_labels: tuple[dict[str, str], ...]

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object; its ``config`` has one key per driver family."""
        families = [mapping(family) for family in mapping(mapping(obj).get("config")).values()]
        family = next((found for found in families if text(found.get("storageDriverName"))), {})
        common = string_map(family.get("labels"))
        pools = [{**common, **string_map(at(pool, "labels"))} for pool in items(family.get("storage"))]
        return cls(
            name=name_of(obj),
            namespace=interned(at(obj, "metadata", "namespace")) or "",
            uuid=interned(mapping(obj).get("backendUUID")),
            backend_name=interned(mapping(obj).get("backendName")),
            driver=interned(family.get("storageDriverName")),
            san_type=lower(family.get("sanType")),
            nas_type=lower(family.get("nasType")),
            online=mapping(obj).get("online") is not False,
            pool_labels=tuple(pools) or (common,),
        )


@dataclass(frozen=True, slots=True)
class TridentVolumeFacts:
    """A TridentVolume: Trident's own record of a volume."""

    protocol: str | None
    backend_uuid: str | None

    @classmethod
    def read(cls, obj: Object) -> Self:
        """Take the facts from the object."""
        return cls(interned(at(obj, "config", "protocol")), interned(mapping(obj).get("backendUUID")))
