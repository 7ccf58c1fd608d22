"""Which of Trident's backends a StorageClass allows.

Source: Trident 26.06 ``storage_class/storage_class.go`` (``Matches``), ``storage_attribute/label.go`` and
``frontend/csi/controller_helpers/kubernetes/plugin.go`` (``processStorageClass``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from webhook.cluster.facts import BackendFacts, ClassFacts
from webhook.cluster.facts.reading import TRIDENT_DOMAIN, lower
from webhook.storage.trident_drivers import NAS_DRIVERS, SAN_DRIVERS

Pools = tuple[tuple[str, tuple[str, ...]], ...]

_NO_ATTRIBUTES = {"fsType", "storagePools", "additionalStoragePools", "requiredStorage", "excludeStoragePools"}
_LABEL = r"([\w-]+)"
_SELECTORS = (
    (re.compile(rf"{_LABEL}\s*={{1,2}}\s*{_LABEL}"), lambda value, wanted: value == wanted),
    (re.compile(rf"{_LABEL}\s*!=\s*{_LABEL}"), lambda value, wanted: value is not None and value != wanted),
    (re.compile(rf"{_LABEL}\s+in\s+\(([\s\w,-]+)\)"), lambda value, wanted: value in _set(wanted)),
    (re.compile(rf"{_LABEL}\s+notin\s+\(([\s\w,-]+)\)"), lambda value, wanted: value not in _set(wanted)),
    (re.compile(_LABEL), lambda value, wanted: value is not None),
    (re.compile(rf"!{_LABEL}"), lambda value, wanted: value is None),
)


@dataclass(frozen=True, slots=True)
class TridentClass:
    """A StorageClass's parameters as Trident reads them: what it requires of a backend, and its pools.

    A pool entry is a backend's name and its pools' names, all regular expressions.
    """

    driver: str | None
    san_type: str | None
    nas_type: str | None
    selector: str | None
    pools: Pools
    additional: Pools
    excluded: Pools
    has_attributes: bool

    @classmethod
    def of(cls, storage_class: ClassFacts) -> TridentClass:
        """Read the parameters, with or without Trident's prefix; annotations override two of them.

        A class of an automatic backend for FSx has ``storageDriverName`` instead of ``backendType``.
        """
        found = {key.removeprefix(TRIDENT_DOMAIN): value for key, value in storage_class.parameters.items()}
        for key in ("selector", "additionalStoragePools"):
            if TRIDENT_DOMAIN + key in storage_class.annotations:
                found[key] = storage_class.annotations[TRIDENT_DOMAIN + key]
        return cls(
            driver=found.get("backendType") or found.get("storageDriverName"),
            san_type=lower(found.get("sanType")),
            nas_type=lower(found.get("nasType")),
            selector=found.get("selector"),
            pools=_pools(found.get("storagePools")),
            additional=_pools(found.get("additionalStoragePools") or found.get("requiredStorage")),
            excluded=_pools(found.get("excludeStoragePools")),
            has_attributes=any(_is_attribute(key) for key in found),
        )

    def may_use(self, backend: BackendFacts) -> bool:
        """Return whether a pool of the backend may match.

        A TridentBackend does not name physical pools; where only their names decide, they may match.
        """
        name = backend.backend_name or ""
        if not backend.online or any(_names(entry, name) and ".*" in entry[1] for entry in self.excluded):
            return False
        if any(_names(entry, name) for entry in self.additional):
            return True
        if self.additional and not self.pools and not self.has_attributes:
            return False
        in_pools = not self.pools or any(_names(entry, name) for entry in self.pools)
        return in_pools and self._has_attributes(backend)

    def _has_attributes(self, backend: BackendFacts) -> bool:
        san_type = (backend.san_type or "iscsi") if backend.driver in SAN_DRIVERS else None
        nas_type = (backend.nas_type or "nfs") if backend.driver in NAS_DRIVERS else None
        return (
            self.driver in (None, backend.driver)
            and self.san_type in (None, san_type)
            and self.nas_type in (None, nas_type)
            and (self.selector is None or any(selects(self.selector, labels) for labels in backend.pool_labels))
        )


def selects(selector: str, labels: dict[str, str]) -> bool:
    """Return whether a selector of Trident matches a pool's labels; an invalid selector matches nothing."""
    return all(_holds(part.strip(), labels) for part in selector.split(";"))


def _holds(part: str, labels: dict[str, str]) -> bool:
    for pattern, holds in _SELECTORS:
        found = pattern.fullmatch(part)
        if found:
            return holds(labels.get(found[1]), found[2] if pattern.groups > 1 else "")
    return False


def _set(words: str) -> set[str]:
    return {word.strip() for word in words.split(",")}


def _pools(encoded: str | None) -> Pools:
    """``backend1:pool1,pool2;backend2:.*``."""
    entries = (entry.partition(":") for entry in (encoded or "").split(";") if entry.strip())
    return tuple((name.strip(), tuple(pool.strip() for pool in pools.split(","))) for name, _, pools in entries)


def _names(entry: tuple[str, tuple[str, ...]], backend: str) -> bool:
    try:
        return re.fullmatch(entry[0], backend) is not None
    except re.error:
        return False


def _is_attribute(parameter: str) -> bool:
    """Whether Trident requires a parameter of the pool."""
    return parameter not in _NO_ATTRIBUTES and not parameter.startswith("csi.storage.k8s.io/")
