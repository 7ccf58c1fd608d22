"""Who serves a PVC: Trident's driver and protocol, by the bound volume, else as predicted.

The order: the bound volume; what the PVC is imported, shared or cloned from; what the class allows; what Trident
would provision. Sources: Trident 26.06 ``frontend/csi/controller_server.go`` (volume attributes),
``core/orchestrator_core.go`` (a clone lands where its source is),
``frontend/csi/controller_helpers/kubernetes/config.go`` (annotations).
"""

from __future__ import annotations

from dataclasses import replace

from webhook.cluster import Cluster
from webhook.cluster.facts import BackendFacts, ClassFacts, PersistentVolumeFacts
from webhook.cluster.resources import BACKENDS, PERSISTENT_VOLUMES, TRIDENT_VOLUMES
from webhook.settings import AUTO
from webhook.storage.model import BLOCK_MODE, Backing, ClaimRequest
from webhook.storage.trident_class import TridentClass
from webhook.storage.trident_drivers import (
    PROVISIONERS,
    combined,
    protocol_of_driver,
    protocol_of_word,
    provisioned_protocol,
)
from webhook.wording import listed, plain


def backing_of_volume(name: str, cluster: Cluster, trident: str) -> Backing | None:
    """Return who serves a PersistentVolume, None where it does not exist.

    ``trident`` is the namespace of Trident, or "auto".
    """
    volume = cluster.get(PERSISTENT_VOLUMES, name)
    if volume is None:
        return None
    evidence = f"bound PV {plain(name)}"
    if volume.in_tree and volume.provisioner in PROVISIONERS:
        evidence += f": {volume.in_tree} volume of Trident before CSI"
        return Backing("file" if volume.in_tree == "nfs" else "block", evidence)
    if volume.csi_driver not in PROVISIONERS:
        served_by = plain(volume.csi_driver) if volume.csi_driver else "no CSI driver"
        return Backing("foreign", f"{evidence}: served by {served_by}")
    word, uuid = _recorded(volume, cluster, trident)
    backend = backend_by_uuid(uuid, cluster)
    driver = backend.driver if backend else None
    protocol = protocol_of_word(word)
    protocol = protocol if protocol != "unknown" else protocol_of_driver(driver)
    evidence += f": protocol {plain(word) if word else 'not recorded'}"
    if backend:
        evidence += f", backend {_shown(backend)}"
    elif uuid:
        evidence += f", backend {plain(uuid)} (no TridentBackend with this UUID can be read)"
    return Backing(protocol, evidence, driver, backend.nas_type if backend else None)


def _recorded(volume: PersistentVolumeFacts, cluster: Cluster, trident: str) -> tuple[str | None, str | None]:
    """The protocol and the backend's UUID of a volume.

    A user wrote the attributes of a volume that Trident did not provision; there Trident's own record comes first.
    """
    if volume.provisioner is None and volume.handle:
        record = cluster.get(TRIDENT_VOLUMES, volume.handle, _namespace_of_trident(cluster, trident))
        if record is not None:
            return record.protocol or volume.protocol, record.backend_uuid or volume.backend_uuid
    return volume.protocol, volume.backend_uuid


def _namespace_of_trident(cluster: Cluster, configured: str) -> str:
    """The setting, else the one namespace of all TridentBackends, else Trident's default."""
    if configured != AUTO:
        return configured
    found = {backend.namespace for backend in cluster.list(BACKENDS)}
    return found.pop() if len(found) == 1 else "trident"


def backend_by_uuid(uuid: str | None, cluster: Cluster) -> BackendFacts | None:
    """Return the TridentBackend with this UUID, None where there is none or we may not read it."""
    return next((found for found in cluster.list(BACKENDS) if found.uuid == uuid), None) if uuid else None


def backing_of_backend(uuid: str, cluster: Cluster) -> Backing | None:
    """Return who serves a PVC that is imported from a backend, None where the backend is unknown."""
    backend = backend_by_uuid(uuid, cluster)
    if backend is None:
        return None
    evidence = f"imported from backend {_shown(backend)}"
    return Backing(protocol_of_driver(backend.driver), evidence, backend.driver, backend.nas_type)


def backing_of_class(request: ClaimRequest, storage_class: ClassFacts | None, allowed: Backing | None) -> Backing:
    """Return who will serve a PVC that starts empty, by its StorageClass and what it asks for.

    ``allowed`` is what all backends that the class allows have in common, where the class is Trident's.
    """
    if not request.storage_class:
        return Backing("unknown", "no StorageClass")
    if storage_class is None:
        return Backing("unknown", f"StorageClass {plain(request.storage_class)} does not exist")
    if allowed is None:
        served_by = plain(storage_class.provisioner) if storage_class.provisioner else "nobody"
        return Backing("foreign", f"StorageClass {plain(storage_class.name)}: served by {served_by}")
    return allowed if allowed.protocol != "unknown" else _provisioned(request, allowed)


def _provisioned(request: ClaimRequest, allowed: Backing) -> Backing:
    """Where a class allows several protocols, Trident decides by the PVC."""
    asked = protocol_of_word(request.annotations.get("protocol"))
    protocol = provisioned_protocol(request.volume_mode, combined(request.access_modes), asked)
    if protocol == "impossible":
        return replace(allowed, protocol=asked, evidence=f"{allowed.evidence}, the PVC asks for protocol {asked}")
    if protocol == "unknown":
        return allowed
    by = "over block protocols" if protocol == "block" else "over NFS"
    mode = request.volume_mode if request.volume_mode == BLOCK_MODE else "ReadWriteMany Filesystem"
    why = f"the PVC asks for protocol {asked}" if asked == protocol else f"Trident serves {mode} volumes {by} only"
    return replace(allowed, protocol=protocol, evidence=f"{allowed.evidence}, {why}")


def allowed_by_class(storage_class: ClassFacts, cluster: Cluster) -> Backing:
    """Return what all backends have in common that a StorageClass of Trident allows.

    Its parameters decide, unless it adds pools from anywhere; else the backends that match them do.
    """
    asked = TridentClass.of(storage_class)
    evidence = f"StorageClass {plain(storage_class.name)}"
    if not asked.additional:
        by_driver = protocol_of_driver(asked.driver)
        if by_driver != "unknown":
            return Backing(by_driver, f"{evidence}: driver {asked.driver}", asked.driver, asked.nas_type)
        if asked.san_type:
            return Backing("block", f"{evidence}: sanType {plain(asked.san_type)}")
        if asked.nas_type:
            return Backing("file", f"{evidence}: nasType {plain(asked.nas_type)}", nas_type=asked.nas_type)
    return _common_to(
        [backend for backend in cluster.list(BACKENDS) if asked.may_use(backend)], asked.nas_type, evidence
    )


def _common_to(backends: list[BackendFacts], nas_type: str | None, evidence: str) -> Backing:
    protocols = {protocol_of_driver(backend.driver) for backend in backends}
    drivers = {backend.driver for backend in backends}
    nas_types = {backend.nas_type or "nfs" for backend in backends}
    if len(protocols) != 1 or "unknown" in protocols:
        return Backing("unknown", f"{evidence}: mixed backends" if backends else f"{evidence}: names no driver")
    names = listed(sorted(backend.name for backend in backends))
    return Backing(
        protocols.pop(),
        f"{evidence}: backends {names}",
        drivers.pop() if len(drivers) == 1 else None,
        nas_type or (nas_types.pop() if len(nas_types) == 1 else None),
    )


def _shown(backend: BackendFacts) -> str:
    return f"{plain(backend.name)} {plain(backend.driver) if backend.driver else 'with an unknown driver'}"
