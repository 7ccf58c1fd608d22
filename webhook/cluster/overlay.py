"""A cluster in which some objects are replaced or added."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from webhook.cluster.interface import Cluster, Right
from webhook.cluster.resources import Resource
from webhook.objects import Object

Fact = TypeVar("Fact")


class Overlay:
    """A cluster with other facts of one kind in one namespace; no list shows them."""

    def __init__(self, cluster: Cluster, resource: Resource[Fact], namespace: str, facts: Mapping[str, Fact]) -> None:
        """Take the cluster, and the facts by name that replace its own."""
        self._cluster = cluster
        self._resource: Resource[Any] = resource
        self._namespace = namespace
        self._facts = facts

    @property
    def is_live(self) -> bool:
        """As `Cluster.is_live`."""
        return self._cluster.is_live

    def get(self, resource: Resource[Fact], name: str, namespace: str = "") -> Fact | None:
        """As `Cluster.get`; the other facts come first."""
        if resource.key == self._resource.key and namespace == self._namespace and name in self._facts:
            return self._facts[name]  # type: ignore[return-value]
        return self._cluster.get(resource, name, namespace)

    def list(self, resource: Resource[Fact]) -> Collection[Fact]:
        """As `Cluster.list`."""
        return self._cluster.list(resource)

    def may(self, user: Object, right: Right) -> bool:
        """As `Cluster.may`."""
        return self._cluster.may(user, right)

    def within(self, seconds: float, *, confirm: bool = False) -> Overlay:
        """As `Cluster.within`, with the same other facts."""
        view = self._cluster.within(seconds, confirm=confirm)
        return Overlay(view, self._resource, self._namespace, self._facts)
