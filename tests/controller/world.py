"""VMs and PVCs on an API server in memory, and the leader that watches them."""

from typing import Any, cast

from tests.build import CLUSTER, NAMESPACE, Object
from tests.build_paths import KUBEVIRT, Rights
from tests.controller.fake import FakeApi
from webhook.cluster import Cluster
from webhook.cluster.live import LiveCluster
from webhook.cluster.resources import Resource
from webhook.cluster.snapshot import resource_of
from webhook.controller.late_pvcs import LatePvcs
from webhook.settings import Settings

EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"


class World:
    """An API server with objects, and a cluster that watches it."""

    def __init__(self, *objects: Object) -> None:
        """Store objects, and watch them."""
        self.api = FakeApi()
        self.stale = False
        self.late_pvcs = LatePvcs()
        for obj in objects:
            self.put(obj)

    def put(self, obj: Object) -> None:
        """Store an object."""
        self.api.put_there(path(obj), obj)

    def stored(self, obj: Object) -> Object:
        """Return an object as it is stored."""
        return self.api.objects[path(obj)]

    def reconcile(self, settings: Object | None = None) -> None:
        """Let the leader do its work once."""
        self.late_pvcs.run(self.api.client, cast(LiveCluster, self), Settings.parse(settings or {}))

    def reflector(self, resource: Resource[Any]) -> "Cache | None":
        """Return what the cluster watches."""
        return None if self.stale else Cache(self.within(), resource)

    def within(self, seconds: float = 0.0, *, confirm: bool = True) -> Rights:
        """Return a view of all that is stored; the leader asks for live ones."""
        assert confirm
        return Rights((KUBEVIRT, *CLUSTER, *self.api.objects.values()))

    @property
    def events(self) -> list[Object]:
        """The Events on the API server."""
        return [obj for path, obj in self.api.objects.items() if path.startswith(EVENTS)]


class Cache:
    """A reflector."""

    def __init__(self, cluster: Cluster, resource: Resource[Any]) -> None:
        """Show what a cluster has of a kind."""
        self._cluster, self._resource = cluster, resource

    def get(self, key: tuple[str, str]) -> Any:
        """Return the facts of one object."""
        return self._cluster.get(self._resource, key[1], key[0])

    def values(self) -> Any:
        """Return the facts of all."""
        return self._cluster.list(self._resource)


def path(obj: Object) -> str:
    """Return the path at which an object is stored."""
    resource = resource_of(obj)
    assert resource
    return resource.path_of(obj["metadata"]["name"], obj["metadata"].get("namespace", NAMESPACE))
