"""A cluster as a set of objects: from files, or handed over by the caller."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from webhook.cluster.interface import Right
from webhook.cluster.resources import RESOURCES, Resource
from webhook.objects import Object, at, mapping, text

Fact = TypeVar("Fact")

_BY_KIND = {(resource.group, resource.kind): resource for resource in RESOURCES if not resource.metadata_only}
_OF_METADATA = {(resource.group, resource.kind): resource for resource in RESOURCES if resource.metadata_only}


class Snapshot:
    """Cluster state that does not change: what is not in it does not exist."""

    is_live = False

    def __init__(self, objects: Iterable[Object] = ()) -> None:
        """Take the objects of the kinds in `resources`; others are passed over.

        A namespaced object without namespace stands in "default". Of two objects of one name the last counts.
        """
        self._facts: dict[str, dict[tuple[str, str], Any]] = {resource.key: {} for resource in RESOURCES}
        for obj in objects:
            for resource in _resources_of(obj):
                self._facts[resource.key].pop(key := _key(resource, obj), None)
                if (fact := resource.read(obj)) is not None:
                    self._facts[resource.key][key] = fact

    def get(self, resource: Resource[Fact], name: str, namespace: str = "") -> Fact | None:
        """Return the facts of one object, or None if the snapshot does not hold it."""
        found: Fact | None = self._facts[resource.key].get((namespace if resource.namespaced else "", name))
        return found

    def list(self, resource: Resource[Fact]) -> Collection[Fact]:
        """Return the facts of all objects of a kind."""
        return self._facts[resource.key].values()

    def may(self, user: Object, right: Right) -> bool:
        """Say yes: there is nobody to ask."""
        return True

    def within(self, seconds: float, *, confirm: bool = False) -> Snapshot:
        """Return itself: a snapshot answers at once and has no other source to ask."""
        return self


def resource_of(obj: object) -> Resource[object] | None:
    """Return which of the known kinds an object is of, or None; its API version does not matter."""
    return _BY_KIND.get(_group_and_kind(obj))


def _resources_of(obj: object) -> list[Resource[object]]:
    """Each view that there is of an object: of all of it, and of its metadata."""
    which = _group_and_kind(obj)
    return [table[which] for table in (_BY_KIND, _OF_METADATA) if which in table]


def _group_and_kind(obj: object) -> tuple[str, str]:
    """An object without an API version is of no kind, also where the version of a core object is meant."""
    api_version = text(mapping(obj).get("apiVersion"))
    kind = text(mapping(obj).get("kind")) if api_version else None
    return (api_version or "").rpartition("/")[0], kind or ""


def _key(resource: Resource[object], obj: Object) -> tuple[str, str]:
    namespace = text(at(obj, "metadata", "namespace")) or "default"
    return (namespace if resource.namespaced else "", text(at(obj, "metadata", "name")) or "")
