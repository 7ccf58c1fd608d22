"""A running cluster: small kinds and PVCs from watches, the rest read from the API server on demand."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import Any, TypeVar

from webhook.cluster.api import NOT_FOUND, Api, ApiError, Client
from webhook.cluster.interface import Right
from webhook.cluster.reflector import Reflector
from webhook.cluster.resources import RESOURCES, Resource
from webhook.objects import Object, at, can_be_name

Fact = TypeVar("Fact")

STALE = 120.0
"""Seconds without an answer about a kind after which its cache is stale."""
STALE_OF_ONE = 45.0
"""The same for the watch of one object, which starts again at least every 30 seconds."""
DEFAULT_WAIT = 10.0
_FORBIDDEN = 403

_ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_USER_FIELDS = {"user": "username", "groups": "groups", "uid": "uid", "extra": "extra"}


class LiveCluster:
    """The state of one cluster."""

    is_live = True

    def __init__(self, api: Api) -> None:
        """Take the API server; nothing is watched before `start`."""
        self.api = api
        self._reflectors: dict[str, Reflector[Any]] = {
            resource.key: Reflector(api, resource) for resource in RESOURCES if resource.watched
        }

    def watch(self, resource: Resource[Any], changed: Callable[[], None]) -> None:
        """Before `start`: watch another object, which no verdict needs; ``changed`` is called when it may differ."""
        self._reflectors[resource.key] = Reflector(self.api, resource, changed)

    def start(self) -> None:
        """Start to cache the watched kinds; must be called in the process that reads."""
        for reflector in self._reflectors.values():
            reflector.start()

    def stop(self) -> None:
        """Stop all watches."""
        for reflector in self._reflectors.values():
            reflector.stop()

    def unready(self) -> dict[str, str]:
        """Return the kinds that were never listed, each with the reason; empty once every VM can be evaluated."""
        kinds = (reflector for reflector in self._reflectors.values() if not reflector.resource.only)
        waiting = (reflector for reflector in kinds if not reflector.synced)
        return {reflector.resource.plural: reflector.error or "not listed yet" for reflector in waiting}

    def ages(self) -> dict[str, float]:
        """Return for each watched kind the seconds since the API server last answered about it."""
        return {reflector.resource.plural: reflector.age for reflector in self._reflectors.values()}

    def reflector(self, resource: Resource[Fact]) -> Reflector[Fact] | None:
        """Return the cache of a kind, None while it is not synced or stale."""
        found = self._reflectors.get(resource.key)
        longest = STALE_OF_ONE if resource.only else STALE
        return found if found and found.synced and found.age < longest else None

    def within(self, seconds: float, *, confirm: bool = False) -> LiveView:
        """As `Cluster.within`."""
        return LiveView(self, self.api.within(seconds), confirm)

    def get(self, resource: Resource[Fact], name: str, namespace: str = "") -> Fact | None:
        """As `Cluster.get`, within ten seconds."""
        return self.within(DEFAULT_WAIT).get(resource, name, namespace)

    def list(self, resource: Resource[Fact]) -> Collection[Fact]:
        """As `Cluster.list`, within ten seconds."""
        return self.within(DEFAULT_WAIT).list(resource)

    def may(self, user: Object, right: Right) -> bool:
        """As `Cluster.may`, within ten seconds."""
        return self.within(DEFAULT_WAIT).may(user, right)


class LiveView:
    """The cluster for one request: it keeps the deadline and reads no object twice."""

    is_live = True

    def __init__(self, cluster: LiveCluster, client: Client, confirm: bool) -> None:
        self._cluster = cluster
        self._client = client
        self._confirm = confirm
        self._seen: dict[tuple[str, str, str], Any] = {}

    def within(self, seconds: float, *, confirm: bool = False) -> LiveView:
        """As `LiveCluster.within`."""
        return self._cluster.within(seconds, confirm=confirm)

    def get(self, resource: Resource[Fact], name: str, namespace: str = "") -> Fact | None:
        """Return an object's facts from the cache, or from the server where the cache is stale or misses it.

        A miss is never the answer: a PVC may be created just before its VM.
        """
        key = (resource.key, namespace, name)
        if key not in self._seen:
            self._seen[key] = self._get(resource, name, namespace)
        found: Fact | None = self._seen[key]
        return found

    def list(self, resource: Resource[Fact]) -> Collection[Fact]:
        """Return the facts of all objects of a kind, from the cache or, where it is stale, from the server."""
        reflector = self._cluster.reflector(resource)
        return reflector.values() if reflector else self._ask_for_all(resource)

    def may(self, user: Object, right: Right) -> bool:
        """Ask the API server with a SubjectAccessReview."""
        answer = self._client.create(_ACCESS_REVIEWS, _access_review(user, right))
        return at(answer, "status", "allowed") is True

    def _get(self, resource: Resource[Fact], name: str, namespace: str) -> Fact | None:
        reflector = None if self._confirm else self._cluster.reflector(resource)
        cached = reflector.get((namespace if resource.namespaced else "", name)) if reflector else None
        if cached is not None or (reflector and reflector.absent):
            return cached
        return self._ask_for(resource, name, namespace)

    def _ask_for(self, resource: Resource[Fact], name: str, namespace: str) -> Fact | None:
        if not (can_be_name(name) and can_be_name(namespace or "none")):
            return None
        try:
            found = self._client.get(resource.path_of(name, namespace))
        except ApiError as error:
            if resource.optional and error.status == _FORBIDDEN:
                return None
            raise
        return None if found is None else resource.read(found)

    def _ask_for_all(self, resource: Resource[Fact]) -> Collection[Fact]:
        try:
            objects = self._client.list(resource.path, resource.query, metadata_only=resource.metadata_only)
            return [fact for fact in map(resource.read, objects) if fact is not None]
        except ApiError as error:
            if resource.optional and error.status in (_FORBIDDEN, NOT_FOUND):
                return []
            raise


def _access_review(user: Object, right: Right) -> dict[str, Any]:
    who = {key: user[field] for key, field in _USER_FIELDS.items() if user.get(field)}
    attributes = {key: value for key, value in asdict(right).items() if value}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {**who, "resourceAttributes": attributes},
    }
