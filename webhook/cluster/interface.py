"""The one interface to cluster state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from webhook.cluster.resources import Resource
from webhook.objects import Object

Fact = TypeVar("Fact")


class Undecidable(Exception):
    """The verdict depends on facts that are not available now; the caller must not guess."""


class ClusterUnavailable(Undecidable):
    """The API server did not answer, or not in time."""


@dataclass(frozen=True, slots=True)
class Right:
    """A permission to ask for; ``namespace`` and ``name`` are "" for all."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str


class Cluster(Protocol):
    """What the readers and the policy may ask about the cluster."""

    @property
    def is_live(self) -> bool:
        """Whether this is a running cluster; else it is read from files, and `may` allows everything."""

    def get(self, resource: Resource[Fact], name: str, namespace: str = "") -> Fact | None:
        """Return the facts of one object, or None if it does not exist; raises Undecidable."""

    def list(self, resource: Resource[Fact]) -> Collection[Fact]:
        """Return the facts of all objects of a kind; raises Undecidable."""

    def may(self, user: Object, right: Right) -> bool:
        """Return whether a user, given as an admission request's ``userInfo``, has a right; raises Undecidable."""

    def within(self, seconds: float, *, confirm: bool = False) -> Self | Cluster:
        """Return a view that answers within so many seconds from now.

        With ``confirm`` the view reads each object from the API server, not from a cache that may lag behind.
        """
