"""The kinds that a verdict can depend on: one entry each for the snapshot, the live cluster and its permissions."""

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

    A live cluster caches ``watched`` kinds and reads the others on demand. An ``optional`` kind may be unknown to the
    API server, or forbidden to us: then it has no objects. With ``metadata_only`` the API server returns no more than
    that. An object that is ``read`` as None is ignored. ``only`` is the namespace ("" for none) and name of the one
    object that is watched, instead of all.
    """

    kind: str
    group: str
    version: str
    read: Callable[[Object], Fact_co | None]
    namespaced: bool = True
    watched: bool = False
    optional: bool = True
    metadata_only: bool = False
    only: tuple[str, str] | None = None

    @property
    def key(self) -> str:
        """The name that no other resource has."""
        return f"{self.kind} (metadata)" if self.metadata_only else self.kind

    @property
    def plural(self) -> str:
        """The name in URLs and permissions, as Kubernetes derives it (``meta.UnsafeGuessKindToResource``)."""
        return self.kind.lower() + ("es" if self.kind.endswith("s") else "s")

    @property
    def path(self) -> str:
        """The URL path of the collection: over all namespaces, or in that of the only object."""
        return self._collection(self.only[0] if self.only else "")

    @property
    def query(self) -> dict[str, str]:
        """The selector of the objects. A right on a named object includes list and watch with this field selector.

        https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
        """
        return {"fieldSelector": f"metadata.name={self.only[1]}"} if self.only else {}

    def path_of(self, name: str, namespace: str = "") -> str:
        """Return the URL path of one object."""
        return f"{self._collection(namespace if self.namespaced else '')}/{name}"

    def _collection(self, namespace: str) -> str:
        root = f"/apis/{self.group}" if self.group else "/api"
        scope = f"/namespaces/{namespace}" if namespace else ""
        return f"{root}/{self.version}{scope}/{self.plural}"


def single(kind: str, group: str, version: str, name: str, namespace: str = "") -> Resource[Object]:
    """Return a resource for one object, kept whole, with the apiVersion and kind that a list leaves out."""
    about = {"apiVersion": f"{group}/{version}" if group else version, "kind": kind}

    def read(obj: Object) -> Object:
        return {**about, **obj}

    return Resource(kind, group, version, read, bool(namespace), watched=True, optional=False, only=(namespace, name))


_STORAGE, _SNAPSHOTS, _TRIDENT = "storage.k8s.io", "snapshot.storage.k8s.io", "trident.netapp.io"
_KUBEVIRT, _CDI, _VM_SNAPSHOTS = "kubevirt.io", "cdi.kubevirt.io", "snapshot.kubevirt.io"
_INSTANCETYPES = "instancetype.kubevirt.io"

CLAIMS = Resource("PersistentVolumeClaim", "", "v1", facts.ClaimFacts.read, watched=True, optional=False)
NODES = Resource("Node", "", "v1", facts.NodeFacts.read, namespaced=False, watched=True, optional=False)
NAMESPACES = Resource("Namespace", "", "v1", facts.NamespaceFacts.read, namespaced=False, watched=True, optional=False)
CLASSES = Resource(
    "StorageClass", _STORAGE, "v1", facts.ClassFacts.read, namespaced=False, watched=True, optional=False
)
PERSISTENT_VOLUMES = Resource(
    "PersistentVolume", "", "v1", facts.PersistentVolumeFacts.read, namespaced=False, optional=False
)
REVISIONS = Resource("ControllerRevision", "apps", "v1", facts.RevisionFacts.read, optional=False)

KUBEVIRTS = Resource("KubeVirt", _KUBEVIRT, "v1", facts.KubeVirtFacts.read, watched=True)
PROFILES = Resource("StorageProfile", _CDI, "v1beta1", facts.ProfileFacts.read, namespaced=False, watched=True)
DATA_VOLUMES = Resource("DataVolume", _CDI, "v1beta1", facts.DataVolumeFacts.read)
DATA_SOURCES = Resource("DataSource", _CDI, "v1beta1", facts.DataSourceFacts.read)
CLONE_SOURCES = Resource("VolumeCloneSource", _CDI, "v1beta1", facts.CloneSourceFacts.read)
SNAPSHOTS = Resource("VolumeSnapshot", _SNAPSHOTS, "v1", facts.SnapshotFacts.read)
SNAPSHOT_CONTENTS = Resource(
    "VolumeSnapshotContent", _SNAPSHOTS, "v1", facts.SnapshotContentFacts.read, namespaced=False
)
BACKENDS = Resource("TridentBackend", _TRIDENT, "v1", facts.BackendFacts.read, watched=True)
TRIDENT_VOLUMES = Resource("TridentVolume", _TRIDENT, "v1", facts.TridentVolumeFacts.read)

INSTANCETYPES = Resource("VirtualMachineInstancetype", _INSTANCETYPES, "v1beta1", facts.SpecFacts.read)
CLUSTER_INSTANCETYPES = Resource(
    "VirtualMachineClusterInstancetype", _INSTANCETYPES, "v1beta1", facts.SpecFacts.read, namespaced=False
)
PREFERENCES = Resource("VirtualMachinePreference", _INSTANCETYPES, "v1beta1", facts.SpecFacts.read)
CLUSTER_PREFERENCES = Resource(
    "VirtualMachineClusterPreference", _INSTANCETYPES, "v1beta1", facts.SpecFacts.read, namespaced=False
)

VIRTUAL_MACHINES = Resource("VirtualMachine", _KUBEVIRT, "v1", facts.OwnerFacts.read)
REPLICA_SETS = Resource("VirtualMachineInstanceReplicaSet", _KUBEVIRT, "v1", facts.OwnerFacts.read)
POOLS = Resource("VirtualMachinePool", "pool.kubevirt.io", "v1alpha1", facts.OwnerFacts.read)
OWNERS = {owner.kind: owner for owner in (VIRTUAL_MACHINES, REPLICA_SETS, POOLS)}
"""What creates VirtualMachineInstances, by kind."""
UNVERIFIED_VMS = tuple(
    Resource(owner.kind, _KUBEVIRT, "v1", facts.UnverifiedFacts.read, watched=True, metadata_only=True)
    for owner in (VIRTUAL_MACHINES, REPLICA_SETS)
)
"""Unverified VMs and ReplicaSets."""
INSTANCES = Resource("VirtualMachineInstance", _KUBEVIRT, "v1", facts.InstanceFacts.read)
VM_SNAPSHOTS = Resource("VirtualMachineSnapshot", _VM_SNAPSHOTS, "v1beta1", facts.VMSnapshotFacts.read)
VM_SNAPSHOT_CONTENTS = Resource(
    "VirtualMachineSnapshotContent", _VM_SNAPSHOTS, "v1beta1", facts.VMSnapshotContentFacts.read
)
RESTORES = Resource("VirtualMachineRestore", _VM_SNAPSHOTS, "v1beta1", facts.OwnerFacts.read)
CLONES = Resource("VirtualMachineClone", "clone.kubevirt.io", "v1alpha1", facts.OwnerFacts.read)

RESOURCES: tuple[Resource[object], ...] = (
    *(found for found in tuple(globals().values()) if isinstance(found, Resource)),
    *UNVERIFIED_VMS,
)
"""All of the above."""
