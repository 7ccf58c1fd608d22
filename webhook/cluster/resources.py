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
    plural: str
    namespaced: bool
    read: Callable[[Object], Fact_co | None]
    watched: bool = True
    optional: bool = False
    metadata_only: bool = False
    only: tuple[str, str] | None = None

    @property
    def key(self) -> str:
        """The name that no other resource has."""
        return f"{self.kind} (metadata)" if self.metadata_only else self.kind

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


def single(kind: str, group: str, version: str, plural: str, name: str, namespace: str = "") -> Resource[Object]:
    """Return a resource for one object, kept whole, with the apiVersion and kind that a list leaves out."""
    about = {"apiVersion": f"{group}/{version}" if group else version, "kind": kind}
    return Resource(kind, group, version, plural, bool(namespace), lambda obj: {**about, **obj}, only=(namespace, name))


_CDI, _KUBEVIRT, _TRIDENT = "cdi.kubevirt.io", "kubevirt.io", "trident.netapp.io"
_SNAPSHOTS, _INSTANCETYPES = "snapshot.storage.k8s.io", "instancetype.kubevirt.io"
_VM_SNAPSHOTS = "snapshot.kubevirt.io"

CLAIMS = Resource("PersistentVolumeClaim", "", "v1", "persistentvolumeclaims", True, facts.ClaimFacts.read)
NODES = Resource("Node", "", "v1", "nodes", False, facts.NodeFacts.read)
NAMESPACES = Resource("Namespace", "", "v1", "namespaces", False, facts.NamespaceFacts.read)
CLASSES = Resource("StorageClass", "storage.k8s.io", "v1", "storageclasses", False, facts.ClassFacts.read)
PERSISTENT_VOLUMES = Resource(
    "PersistentVolume", "", "v1", "persistentvolumes", False, facts.PersistentVolumeFacts.read, watched=False
)
REVISIONS = Resource(
    "ControllerRevision", "apps", "v1", "controllerrevisions", True, facts.RevisionFacts.read, watched=False
)


def _extension(
    kind: str,
    group: str,
    version: str,
    plural: str,
    read: Callable[[Object], Fact_co | None],
    *,
    namespaced: bool = True,
    watched: bool = False,
    metadata_only: bool = False,
) -> Resource[Fact_co]:
    return Resource(kind, group, version, plural, namespaced, read, watched, optional=True, metadata_only=metadata_only)


KUBEVIRTS = _extension("KubeVirt", _KUBEVIRT, "v1", "kubevirts", facts.KubeVirtFacts.read, watched=True)
PROFILES = _extension(
    "StorageProfile", _CDI, "v1beta1", "storageprofiles", facts.ProfileFacts.read, namespaced=False, watched=True
)
DATA_VOLUMES = _extension("DataVolume", _CDI, "v1beta1", "datavolumes", facts.DataVolumeFacts.read)
DATA_SOURCES = _extension("DataSource", _CDI, "v1beta1", "datasources", facts.DataSourceFacts.read)
CLONE_SOURCES = _extension("VolumeCloneSource", _CDI, "v1beta1", "volumeclonesources", facts.CloneSourceFacts.read)
SNAPSHOTS = _extension("VolumeSnapshot", _SNAPSHOTS, "v1", "volumesnapshots", facts.SnapshotFacts.read)
SNAPSHOT_CONTENTS = _extension(
    "VolumeSnapshotContent",
    _SNAPSHOTS,
    "v1",
    "volumesnapshotcontents",
    facts.SnapshotContentFacts.read,
    namespaced=False,
)
BACKENDS = _extension("TridentBackend", _TRIDENT, "v1", "tridentbackends", facts.BackendFacts.read, watched=True)
TRIDENT_VOLUMES = _extension("TridentVolume", _TRIDENT, "v1", "tridentvolumes", facts.TridentVolumeFacts.read)
INSTANCETYPES = _extension(
    "VirtualMachineInstancetype", _INSTANCETYPES, "v1beta1", "virtualmachineinstancetypes", facts.SpecFacts.read
)
CLUSTER_INSTANCETYPES = _extension(
    "VirtualMachineClusterInstancetype",
    _INSTANCETYPES,
    "v1beta1",
    "virtualmachineclusterinstancetypes",
    facts.SpecFacts.read,
    namespaced=False,
)
PREFERENCES = _extension(
    "VirtualMachinePreference", _INSTANCETYPES, "v1beta1", "virtualmachinepreferences", facts.SpecFacts.read
)
CLUSTER_PREFERENCES = _extension(
    "VirtualMachineClusterPreference",
    _INSTANCETYPES,
    "v1beta1",
    "virtualmachineclusterpreferences",
    facts.SpecFacts.read,
    namespaced=False,
)

VIRTUAL_MACHINES = _extension("VirtualMachine", _KUBEVIRT, "v1", "virtualmachines", facts.OwnerFacts.read)
REPLICA_SETS = _extension(
    "VirtualMachineInstanceReplicaSet", _KUBEVIRT, "v1", "virtualmachineinstancereplicasets", facts.OwnerFacts.read
)
POOLS = _extension("VirtualMachinePool", "pool.kubevirt.io", "v1alpha1", "virtualmachinepools", facts.OwnerFacts.read)
OWNERS = {owner.kind: owner for owner in (VIRTUAL_MACHINES, REPLICA_SETS, POOLS)}
"""What creates VirtualMachineInstances, by kind."""
UNVERIFIED_VMS = tuple(
    _extension(kind, _KUBEVIRT, "v1", plural, facts.UnverifiedFacts.read, watched=True, metadata_only=True)
    for kind, plural in (
        ("VirtualMachine", "virtualmachines"),
        ("VirtualMachineInstanceReplicaSet", "virtualmachineinstancereplicasets"),
    )
)
"""Unverified VMs and ReplicaSets."""
INSTANCES = _extension("VirtualMachineInstance", _KUBEVIRT, "v1", "virtualmachineinstances", facts.InstanceFacts.read)
VM_SNAPSHOTS = _extension(
    "VirtualMachineSnapshot", _VM_SNAPSHOTS, "v1beta1", "virtualmachinesnapshots", facts.VMSnapshotFacts.read
)
VM_SNAPSHOT_CONTENTS = _extension(
    "VirtualMachineSnapshotContent",
    _VM_SNAPSHOTS,
    "v1beta1",
    "virtualmachinesnapshotcontents",
    facts.VMSnapshotContentFacts.read,
)
RESTORES = _extension(
    "VirtualMachineRestore", _VM_SNAPSHOTS, "v1beta1", "virtualmachinerestores", facts.RestoreFacts.read
)
CLONES = _extension(
    "VirtualMachineClone", "clone.kubevirt.io", "v1alpha1", "virtualmachineclones", facts.RestoreFacts.read
)

RESOURCES: tuple[Resource[object], ...] = (
    CLAIMS,
    NODES,
    NAMESPACES,
    CLASSES,
    PERSISTENT_VOLUMES,
    REVISIONS,
    KUBEVIRTS,
    PROFILES,
    DATA_VOLUMES,
    DATA_SOURCES,
    CLONE_SOURCES,
    SNAPSHOTS,
    SNAPSHOT_CONTENTS,
    BACKENDS,
    TRIDENT_VOLUMES,
    INSTANCETYPES,
    CLUSTER_INSTANCETYPES,
    PREFERENCES,
    CLUSTER_PREFERENCES,
    VIRTUAL_MACHINES,
    REPLICA_SETS,
    POOLS,
    *UNVERIFIED_VMS,
    INSTANCES,
    VM_SNAPSHOTS,
    VM_SNAPSHOT_CONTENTS,
    RESTORES,
    CLONES,
)
