"""A cluster as a set of objects: from files, or handed over by the caller."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from webhook.cluster.interface import Right
from webhook.cluster.resources import RESOURCES, Resource
from webhook.objects import Object, at, mapping, text

Fact = TypeVar("Fact")

_BY_KIND = {(resource.group, resource.kind): resource for resource in RESOURCES}


class Snapshot:
    """Cluster state that does not change: what is not in it does not exist."""

    asks_for_rights = False

    def __init__(self, objects: Iterable[Object] = ()) -> None:
        """Take the objects of the kinds in `resources`; others are passed over.

        A namespaced object without namespace stands in "default". Of two objects of one name the last counts.
        """
        self._facts: dict[str, dict[tuple[str, str], Any]] = {resource.kind: {} for resource in RESOURCES}
        for obj in objects:
            resource = resource_of(obj)
            if resource is not None:
                key = _key(resource, obj)
                self._facts[resource.kind][key] = resource.read(obj)

    def get(self, resource: Resource[Fact], name: str, namespace: str = "") -> Fact | None:
        """Return the facts of one object, or None if the snapshot does not hold it."""
        found: Fact | None = self._facts[resource.kind].get((namespace if resource.namespaced else "", name))
        return found

    def list(self, resource: Resource[Fact]) -> Collection[Fact]:
        """Return the facts of all objects of a kind."""
        return self._facts[resource.kind].values()

    def may(self, user: Object, right: Right) -> bool:
        """Say yes: there is nobody to ask."""
        return True

    def within(self, seconds: float, *, confirm: bool = False) -> Snapshot:
        """Return itself: a snapshot answers at once and has no other source to ask."""
        return self


def resource_of(obj: object) -> Resource[object] | None:
    """Return which of the known kinds an object is of, or None; its API version does not matter."""
    api_version = text(mapping(obj).get("apiVersion"))
    if api_version is None:
        return None
    return _BY_KIND.get((api_version.rpartition("/")[0], text(mapping(obj).get("kind")) or ""))


def _key(resource: Resource[object], obj: Object) -> tuple[str, str]:
    namespace = text(at(obj, "metadata", "namespace")) or "default"
    return (namespace if resource.namespaced else "", text(at(obj, "metadata", "name")) or "")
