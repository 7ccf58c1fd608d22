"""A cluster in which some objects are other than they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from webhook.cluster.facts import ClaimFacts
from webhook.cluster.interface import Cluster, Right
from webhook.cluster.resources import CLAIMS, Resource
from webhook.objects import Object

Fact = TypeVar("Fact")


class WithClaims:
    """A cluster with other claims in one namespace."""

    def __init__(self, cluster: Cluster, namespace: str, claims: Mapping[str, ClaimFacts]) -> None:
        """Lay claims, by name, over those of the cluster."""
        self._cluster = cluster
        self._namespace = namespace
        self._claims = claims

    @property
    def asks_for_rights(self) -> bool:
        """As `Cluster.asks_for_rights`."""
        return self._cluster.asks_for_rights

    def get(self, resource: Resource[Fact], name: str, namespace: str = "") -> Fact | None:
        """As `Cluster.get`; the claims that are laid over go before."""
        if resource is CLAIMS and namespace == self._namespace and name in self._claims:
            return self._claims[name]  # type: ignore[return-value]
        return self._cluster.get(resource, name, namespace)

    def list(self, resource: Resource[Fact]) -> Collection[Fact]:
        """As `Cluster.list`; the claims that are laid over do not appear."""
        return self._cluster.list(resource)

    def may(self, user: Object, right: Right) -> bool:
        """As `Cluster.may`."""
        return self._cluster.may(user, right)

    def within(self, seconds: float, *, confirm: bool = False) -> WithClaims:
        """As `Cluster.within`, with the same claims laid over."""
        return WithClaims(self._cluster.within(seconds, confirm=confirm), self._namespace, self._claims)
