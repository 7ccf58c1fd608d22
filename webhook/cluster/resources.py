"""The kinds that a verdict can rest on: one entry a kind drives the snapshot, the live cluster and its permissions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from webhook.cluster import facts
from webhook.objects import Object

Fact_co = TypeVar("Fact_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Resource(Generic[Fact_co]):
    """A kind of the Kubernetes API and how its objects become slim facts.

    ``watched`` kinds are held in memory by a live cluster, the others are read when asked for. An ``optional`` kind
    may be unknown to the API server, or forbidden to us: then there are none of it.
    """

    kind: str
    group: str
    version: str
    plural: str
    namespaced: bool
    read: Callable[[Object], Fact_co]
    watched: bool = True
    optional: bool = False

    @property
    def path(self) -> str:
        """The URL path of the collection over all namespaces."""
        root = f"/apis/{self.group}" if self.group else "/api"
        return f"{root}/{self.version}/{self.plural}"

    def path_of(self, name: str, namespace: str) -> str:
        """Return the URL path of one object."""
        root = f"/apis/{self.group}" if self.group else "/api"
        scope = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}/{self.version}{scope}/{self.plural}/{name}"


CLAIMS = Resource("PersistentVolumeClaim", "", "v1", "persistentvolumeclaims", True, facts.ClaimFacts.read)
VOLUMES = Resource("PersistentVolume", "", "v1", "persistentvolumes", False, facts.VolumeFacts.read, watched=False)
NODES = Resource("Node", "", "v1", "nodes", False, facts.NodeFacts.read)
CLASSES = Resource("StorageClass", "storage.k8s.io", "v1", "storageclasses", False, facts.ClassFacts.read)
PROFILES = Resource(
    "StorageProfile", "cdi.kubevirt.io", "v1beta1", "storageprofiles", False, facts.ProfileFacts.read, optional=True
)
DATA_VOLUMES = Resource(
    "DataVolume",
    "cdi.kubevirt.io",
    "v1beta1",
    "datavolumes",
    True,
    facts.DataVolumeFacts.read,
    watched=False,
    optional=True,
)
KUBEVIRTS = Resource("KubeVirt", "kubevirt.io", "v1", "kubevirts", True, facts.KubeVirtFacts.read, optional=True)
BACKENDS = Resource(
    "TridentBackend", "trident.netapp.io", "v1", "tridentbackends", True, facts.BackendFacts.read, optional=True
)

RESOURCES: tuple[Resource[object], ...] = (
    CLAIMS,
    VOLUMES,
    NODES,
    CLASSES,
    PROFILES,
    DATA_VOLUMES,
    KUBEVIRTS,
    BACKENDS,
)
