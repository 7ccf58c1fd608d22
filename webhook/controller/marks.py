"""Marks whose claims have come are lifted by the leader, so that the machine starts without us from then on.

It only asks for it: it writes into the annotation, and the mutating side works out anew what must stand there. So the
mark has one author; and where nobody judges, in a namespace that is not selected say, nothing is lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import Client
from webhook.cluster.facts import MarkFacts
from webhook.cluster.live import LiveCluster
from webhook.cluster.resources import CLAIMS, MARKED_MACHINES, OWNERS, Resource
from webhook.names import MARK

AGAIN_SECONDS = 300.0
"""After which a mark that was not lifted is tried again: what kept it may have been mended."""
_MOST_AT_ONCE = 10
_CLAIM = "claim/"
_AGAIN = "again"
"""What is written beside the names; it stands for nothing, and goes with the next judgement."""

log = logging.getLogger(__name__)

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Tried:
    """A mark that was asked to go: what of it was there then, and until when it is left alone."""

    there: frozenset[str]
    until: float


class Marks:
    """Lifts the marks of machines, a few in each pass."""

    def __init__(self) -> None:
        """Nothing was tried yet."""
        self._tried: dict[Key, Tried] = {}

    def run(self, client: Client, cluster: LiveCluster) -> None:
        """Have the marks that may go judged anew; one that cannot be written is tried again later."""
        claims = cluster.reflector(CLAIMS)
        if claims is None:
            return
        now, alive = time.monotonic(), set()
        for resource in MARKED_MACHINES:
            marks = list(cluster.list(resource))
            alive |= {key_of(resource, mark) for mark in marks}
            for mark, there in due(resource, marks, claims.keys(), self._tried, now):
                self._tried[key_of(resource, mark)] = Tried(there, now + AGAIN_SECONDS)
                self._lift(client, resource, mark)
        self._tried = {key: tried for key, tried in self._tried.items() if key in alive}

    def _lift(self, client: Client, resource: Resource[MarkFacts], mark: MarkFacts) -> None:
        path = OWNERS[resource.kind].path_of(mark.name, mark.namespace)
        try:
            client.merge(path, {"metadata": {"annotations": {MARK: ",".join(sorted({*mark.names, _AGAIN}))}}})
        except ClusterUnavailable as error:
            log.warning("the mark of %s %s/%s is not lifted: %s", resource.kind, mark.namespace, mark.name, error)


def key_of(resource: Resource[MarkFacts], mark: MarkFacts) -> Key:
    """Return what tells a marked machine from every other."""
    return (resource.kind, mark.namespace, mark.name)


def due(
    resource: Resource[MarkFacts],
    marks: Iterable[MarkFacts],
    claims: Collection[tuple[str, str]],
    tried: dict[Key, Tried],
    now: float,
) -> Iterator[tuple[MarkFacts, frozenset[str]]]:
    """Yield the marks to lift now, the first few, each with those of its names that are there.

    ``claims`` holds namespace and name of each claim that is there. Of instancetypes and preferences nobody knows, so
    they are tried now and then. ``now`` is on the monotonic clock.
    """
    found = 0
    for mark in marks:
        there = frozenset(name for name in mark.names if _is_there(name, mark.namespace, claims))
        before = tried.get(key_of(resource, mark))
        is_new = bool(there) if before is None else there > before.there or (bool(there) and now >= before.until)
        if is_new and found < _MOST_AT_ONCE:
            found += 1
            yield mark, there


def _is_there(name: str, namespace: str, claims: Collection[tuple[str, str]]) -> bool:
    return not name.startswith(_CLAIM) or (namespace, name.removeprefix(_CLAIM)) in claims
