"""A cluster as a set of objects, from files or from the caller."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from webhook.cluster.interface import Right
from webhook.cluster.resources import RESOURCES, Resource
from webhook.objects import Object, at, mapping, text

Fact = TypeVar("Fact")

_BY_KIND: dict[tuple[str, str], list[Resource[object]]] = {}
for found in RESOURCES:
    _BY_KIND.setdefault((found.group, found.kind), []).append(found)


class Snapshot:
    """Cluster state that does not change; an object that it does not hold does not exist."""

    is_live = False

    def __init__(self, objects: Iterable[Object] = ()) -> None:
        """Take objects; those of kinds that `resources` does not name are ignored.

        A namespaced object without namespace belongs to "default". Of two objects with one name the last counts.
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
        """Return True: files hold no permissions."""
        return True

    def within(self, seconds: float, *, confirm: bool = False) -> Snapshot:
        """Return itself: a snapshot answers at once and has no other source."""
        return self


def resource_of(obj: object) -> Resource[object] | None:
    """Return the resource that reads an object whole, by its group and kind, or None."""
    return next(iter(_resources_of(obj)), None)


def _resources_of(obj: object) -> list[Resource[object]]:
    """The resources that read an object: first whole, then its metadata. Without apiVersion it has no kind."""
    api_version, kind = text(mapping(obj).get("apiVersion")), text(mapping(obj).get("kind"))
    return _BY_KIND.get((api_version.rpartition("/")[0], kind or ""), []) if api_version else []


def _key(resource: Resource[object], obj: Object) -> tuple[str, str]:
    namespace = text(at(obj, "metadata", "namespace")) or "default"
    return (namespace if resource.namespaced else "", text(at(obj, "metadata", "name")) or "")
