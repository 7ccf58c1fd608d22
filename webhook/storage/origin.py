"""Who serves a PVC by what it is created from: an import, a share, a clone.

Sources: Trident 26.06 ``core/orchestrator_core.go`` ``cloneVolumeInitial`` (a clone stays on its source's backend and
keeps its volume mode; its access mode is not looked at), CDI 1.66 ``pkg/controller/clone/planner.go`` (a clone within
one driver and volume mode is Trident's, any other a copy by CDI).
"""

from __future__ import annotations

from dataclasses import replace

from webhook.cluster import Cluster
from webhook.cluster.facts import ClaimFacts, ClassFacts, CloneSourceFacts, DataSourceFacts, SourceFacts
from webhook.cluster.resources import CLAIMS, CLASSES, CLONE_SOURCES, DATA_SOURCES, SNAPSHOT_CONTENTS, SNAPSHOTS
from webhook.storage.backing import allowed_by_class, backing_of_backend, backing_of_class, backing_of_volume
from webhook.storage.classes import kubernetes_default
from webhook.storage.model import BLOCK_MODE, Backing, ClaimRequest
from webhook.storage.trident_drivers import PROVISIONERS
from webhook.wording import plain

_DEEPEST = 8


class Origins:
    """Looks up who serves PVCs, in one cluster with Trident in one namespace."""

    def __init__(self, cluster: Cluster, trident: str) -> None:
        """Ask this cluster."""
        self._cluster = cluster
        self._trident = trident
        self._allowed: dict[str, Backing | None] = {}

    def backing_of(self, request: ClaimRequest, depth: int = 0) -> Backing:
        """Return who serves a PVC; raises Undecidable.

        The volume of a Block PVC is not read: two nodes can attach it, however it is served.
        """
        if request.volume_name and request.volume_mode != BLOCK_MODE:
            bound = backing_of_volume(request.volume_name, self._cluster, self._trident)
            if bound:
                return bound
        storage_class = self._cluster.get(CLASSES, request.storage_class) if request.storage_class else None
        allowed = self._allowed_by(storage_class)
        found = None if storage_class and allowed is None else self._by_origin(request, allowed, depth)
        return found or backing_of_class(request, storage_class, allowed)

    def _allowed_by(self, storage_class: ClassFacts | None) -> Backing | None:
        """What a class of Trident allows, read once per class; None without a class and for another provisioner's."""
        if storage_class is None or storage_class.provisioner not in PROVISIONERS:
            return None
        if storage_class.name not in self._allowed:
            self._allowed[storage_class.name] = allowed_by_class(storage_class, self._cluster)
        return self._allowed[storage_class.name]

    def _by_origin(self, request: ClaimRequest, allowed: Backing | None, depth: int) -> Backing | None:
        if request.volume_mode == BLOCK_MODE:
            return None
        uuid = request.annotations.get("importBackendUUID")
        if imported := backing_of_backend(uuid, self._cluster) if uuid else None:
            return imported
        if shared := request.annotations.get("shareFromPVC"):
            return Backing("file", f"shared from PVC {plain(shared)}, over NFS", nas_type="nfs")
        if request.made_by_cdi and allowed and allowed.protocol == "file":
            return None
        return self._of_source(request, depth)

    def _of_source(self, request: ClaimRequest, depth: int) -> Backing | None:
        source = request.source
        if name := request.annotations.get("cloneFromPVC"):
            namespace = request.annotations.get("cloneFromNamespace") or request.namespace
            source = SourceFacts("PersistentVolumeClaim", name, namespace)
        found = self._follow(source, request.namespace, depth) if source else None
        if found is None or found[0] != request.volume_mode or found[1].protocol in ("unknown", "foreign"):
            return None
        return replace(found[1], evidence=f"cloned: {found[1].evidence}")

    def _follow(self, source: SourceFacts, namespace: str, depth: int) -> tuple[str, Backing] | None:
        """The volume mode and backing of a source; None where it does not exist."""
        if depth >= _DEEPEST:
            return None
        where = source.namespace or namespace
        found: CloneSourceFacts | DataSourceFacts | None
        match source.kind:
            case "PersistentVolumeClaim" | "pvc":
                claim = self._cluster.get(CLAIMS, source.name, where)
                if claim is None:
                    return None
                return claim.volume_mode, self.backing_of(request_of(claim, where, self._cluster), depth + 1)
            case "VolumeSnapshot" | "snapshot":
                return self._of_snapshot(source.name, where, depth + 1)
            case "DataSource" | "dataSource":
                found = self._cluster.get(DATA_SOURCES, source.name, where)
            case "VolumeCloneSource":
                found = self._cluster.get(CLONE_SOURCES, source.name, where)
            case _:
                return None
        return self._follow(found.source, where, depth + 1) if found and found.source else None

    def _of_snapshot(self, name: str, namespace: str, depth: int) -> tuple[str, Backing] | None:
        """A snapshot outlives its PVC, but the handle of its content starts with the volume's name."""
        snapshot = self._cluster.get(SNAPSHOTS, name, namespace)
        if snapshot is None:
            return None
        content = self._cluster.get(SNAPSHOT_CONTENTS, snapshot.content) if snapshot.content else None
        if content and content.driver in PROVISIONERS and content.handle and content.volume_mode:
            backing = backing_of_volume(content.handle.partition("/")[0], self._cluster, self._trident)
            if backing:
                return content.volume_mode, backing
        return self._follow(SourceFacts("pvc", snapshot.claim, namespace), namespace, depth) if snapshot.claim else None


def request_of(claim: ClaimFacts, namespace: str, cluster: Cluster) -> ClaimRequest:
    """Return what an existing PVC asks for; one that names no class and no volume gets Kubernetes' default class."""
    class_name = claim.storage_class
    if class_name is None and not claim.volume_name:
        default = kubernetes_default(cluster.list(CLASSES))
        class_name = default.name if default else None
    return ClaimRequest(
        access_modes=claim.access_modes,
        volume_mode=claim.volume_mode,
        storage_class=class_name,
        namespace=namespace,
        volume_name=claim.volume_name,
        source=claim.source,
        annotations=claim.annotations or {},
        made_by_cdi=claim.source is not None and claim.source.kind == "VolumeCloneSource",
    )
