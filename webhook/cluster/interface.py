"""The one interface to cluster state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from webhook.cluster.resources import Resource
from webhook.objects import Object

Fact = TypeVar("Fact")


class Undecidable(Exception):
    """The verdict rests on facts that cannot be had now; anyone who asked must not guess."""


class ClusterUnavailable(Undecidable):
    """The API server did not answer, or not in time."""


@dataclass(frozen=True, slots=True)
class Right:
    """What a user may or may not do; ``namespace`` and ``name`` are "" for all."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str


class Cluster(Protocol):
    """What VMs, PVCs and policy may ask about the cluster."""

    @property
    def is_live(self) -> bool:
        """Whether VMs run here and `may` asks somebody; else these are files, and it says yes."""

    def get(self, resource: Resource[Fact], name: str, namespace: str = "") -> Fact | None:
        """Return the facts of one object, or None if it does not exist.

        Raises Undecidable where neither can be said.
        """

    def list(self, resource: Resource[Fact]) -> Collection[Fact]:
        """Return the facts of all objects of a kind; raises Undecidable where they cannot be had."""

    def may(self, user: Object, right: Right) -> bool:
        """Say whether a user, given as ``userInfo`` of an admission request, has a right.

        Raises Undecidable where it cannot be said.
        """

    def within(self, seconds: float, *, confirm: bool = False) -> Self | Cluster:
        """Return a view that answers within so many seconds from now.

        With ``confirm`` the view asks the source itself for each object, instead of a cache that may lag behind it.
        """
