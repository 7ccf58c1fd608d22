"""Which of Trident's backends a StorageClass allows.

Source: Trident 26.06 ``storage_class/storage_class.go`` (``Matches``), ``storage_attribute/label.go`` and
``frontend/csi/controller_helpers/kubernetes/plugin.go`` (``processStorageClass``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from webhook.cluster.facts import BackendFacts, ClassFacts
from webhook.cluster.facts.reading import TRIDENT_DOMAIN
from webhook.storage.trident_drivers import NAS_DRIVERS, SAN_DRIVERS

Pools = tuple[tuple[str, tuple[str, ...]], ...]

_NO_ATTRIBUTES = frozenset(
    {"fsType", "storagePools", "additionalStoragePools", "requiredStorage", "excludeStoragePools"}
)
_LABEL = r"([\w-]+)"
_SELECTORS = (
    (re.compile(rf"{_LABEL}\s*={{1,2}}\s*{_LABEL}"), lambda value, wanted: value == wanted),
    (re.compile(rf"{_LABEL}\s*!=\s*{_LABEL}"), lambda value, wanted: value is not None and value != wanted),
    (re.compile(rf"{_LABEL}\s+in\s+\(([\s\w,-]+)\)"), lambda value, wanted: value in _set(wanted)),
    (
        re.compile(rf"{_LABEL}\s+notin\s+\(([\s\w,-]+)\)"),
        lambda value, wanted: value not in _set(wanted),
    ),
    (re.compile(_LABEL), lambda value, wanted: value is not None),
    (re.compile(rf"!{_LABEL}"), lambda value, wanted: value is None),
)


@dataclass(frozen=True, slots=True)
class TridentClass:
    """A StorageClass's parameters as Trident reads them: what backends must be, and which pools count.

    Pools are pairs of a backend's name and its pools' names, both regular expressions.
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
        """Read the parameters, bare or with Trident's prefix; annotations override two of them.

        ``storageDriverName`` is what a class of FSx's automatic backends has instead of ``backendType``.
        """
        said = {key.removeprefix(TRIDENT_DOMAIN): value for key, value in storage_class.parameters.items()}
        for key in ("selector", "additionalStoragePools"):
            if TRIDENT_DOMAIN + key in storage_class.annotations:
                said[key] = storage_class.annotations[TRIDENT_DOMAIN + key]
        return cls(
            driver=said.get("backendType") or said.get("storageDriverName"),
            san_type=_lower(said.get("sanType")),
            nas_type=_lower(said.get("nasType")),
            selector=said.get("selector"),
            pools=_pools(said.get("storagePools")),
            additional=_pools(said.get("additionalStoragePools") or said.get("requiredStorage")),
            excluded=_pools(said.get("excludeStoragePools")),
            has_attributes=any(_is_attribute(key) for key in said),
        )

    def may_use(self, backend: BackendFacts) -> bool:
        """Say whether a pool of the backend may match.

        The names of physical pools are not in a TridentBackend, so where only they decide, the answer is yes.
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
        by_driver = self.driver is None or backend.driver == self.driver
        by_san = self.san_type is None or (
            backend.driver in SAN_DRIVERS and (backend.san_type or "iscsi") == self.san_type
        )
        by_nas = self.nas_type is None or (
            backend.driver in NAS_DRIVERS and (backend.nas_type or "nfs") == self.nas_type
        )
        by_label = self.selector is None or any(selects(self.selector, labels) for labels in backend.pool_labels)
        return by_driver and by_san and by_nas and by_label


def selects(selector: str, labels: dict[str, str]) -> bool:
    """Say whether a selector of Trident's matches a pool's labels; a selector that cannot be read matches nothing."""
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
    """Say whether Trident takes a parameter for something that a pool must offer."""
    return parameter not in _NO_ATTRIBUTES and not parameter.startswith("csi.storage.k8s.io/")


def _lower(value: str | None) -> str | None:
    return value.lower() if value else None
