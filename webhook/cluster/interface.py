"""The one interface to cluster state."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, Self, TypeVar

from webhook.cluster.resources import Resource

Fact = TypeVar("Fact")


class Undecidable(Exception):
    """The verdict rests on facts that cannot be had now; whoever asked must not guess."""


class ClusterUnavailable(Undecidable):
    """The API server did not answer, or not in time."""


class Cluster(Protocol):
    """What machines, claims and policy may ask about the cluster."""

    def get(self, resource: Resource[Fact], name: str, namespace: str = "") -> Fact | None:
        """Return the facts of one object, or None if it does not exist.

        Raises Undecidable where neither can be said.
        """

    def list(self, resource: Resource[Fact]) -> Collection[Fact]:
        """Return the facts of all objects of a kind; raises Undecidable where they cannot be had."""

    def within(self, seconds: float, *, confirm: bool = False) -> Self | Cluster:
        """Return a view that answers within so many seconds from now.

        With ``confirm`` the view asks the source itself for each object, instead of a cache that may lag behind it.
        """
