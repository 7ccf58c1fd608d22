"""Who serves a claim: Trident's driver and protocol, by the bound volume, else by what can be foretold.

Sources: Trident 26.06 ``frontend/csi/controller_server.go`` (volume attributes), ``core/common.go`` (``getProtocol``),
``storage_class/storage_class.go`` (``Matches``), ``frontend/csi/controller_helpers/kubernetes/plugin.go`` (parameter
prefix).
"""

from __future__ import annotations

from webhook.claims.model import BLOCK_MODE, Backing, ClaimRequest, Protocol
from webhook.cluster import Cluster
from webhook.cluster.facts import ClassFacts, VolumeFacts
from webhook.cluster.resources import BACKENDS, CLASSES, VOLUMES

TRIDENT = "csi.trident.netapp.io"
PARAMETER_PREFIX = "trident.netapp.io/"

PROTOCOL_OF_DRIVER: dict[str, Protocol] = {
    "ontap-nas": "file",
    "ontap-nas-economy": "file",
    "ontap-nas-flexgroup": "file",
    "azure-netapp-files": "file",
    "google-cloud-netapp-volumes": "file",
    "ontap-san": "block",
    "ontap-san-economy": "block",
    "solidfire-san": "block",
    "google-cloud-netapp-volumes-san": "block",
}


def backing_of(request: ClaimRequest, volume_name: str | None, cluster: Cluster) -> Backing:
    """Return who serves a claim, ``volume_name`` being the volume it is bound to.

    The volume of a Block claim is not looked at: whoever serves it, two nodes can attach it. Raises Undecidable where
    the cluster cannot say.
    """
    if volume_name and request.volume_mode != BLOCK_MODE:
        volume = cluster.get(VOLUMES, volume_name)
        if volume is not None:
            return _of_volume(volume, volume_name, cluster)
    return _of_class(request, cluster)


def _of_volume(volume: VolumeFacts, name: str, cluster: Cluster) -> Backing:
    evidence = f"bound PV {name}"
    if volume.csi_driver != TRIDENT:
        return Backing("foreign", None, f"{evidence}: served by {volume.csi_driver or 'no CSI driver'}")
    backend = None
    if volume.backend_uuid:
        backend = next((found for found in cluster.list(BACKENDS) if found.uuid == volume.backend_uuid), None)
    driver = backend.driver if backend else None
    said = {"file": "file", "block": "block", "blockOnFile": "block"}.get(volume.protocol or "")
    protocol: Protocol = "block" if said == "block" else "file" if said == "file" else _protocol_of(driver)
    evidence += f": protocol {volume.protocol or 'not said'}"
    if backend:
        evidence += f", backend {backend.name} {backend.driver or 'of unknown driver'}"
    return Backing(protocol, driver, evidence)


def _of_class(request: ClaimRequest, cluster: Cluster) -> Backing:
    name = request.storage_class
    if not name:
        return Backing("unknown", None, "no StorageClass")
    storage_class = cluster.get(CLASSES, name)
    if storage_class is None:
        return Backing("unknown", None, f"StorageClass {name} does not exist")
    if storage_class.provisioner != TRIDENT:
        return Backing("foreign", None, f"StorageClass {name}: served by {storage_class.provisioner or 'nobody'}")
    return _of_trident_class(request, storage_class)


def _of_trident_class(request: ClaimRequest, storage_class: ClassFacts) -> Backing:
    """Trident serves Block volumes over block protocols only, and provisions RWX Filesystem volumes on NFS only."""
    evidence = f"StorageClass {storage_class.name}"
    protocol, said_by = _only_protocol(storage_class)
    driver = _parameter(storage_class, "backendType") or _parameter(storage_class, "storageDriverName")
    if protocol != "unknown":
        return Backing(protocol, driver if driver in PROTOCOL_OF_DRIVER else None, f"{evidence}: {said_by}")
    if request.volume_mode == BLOCK_MODE:
        return Backing("block", None, f"{evidence}: Trident serves Block volumes over block protocols only")
    if "ReadWriteMany" in request.access_modes:
        return Backing("file", None, f"{evidence}: Trident provisions ReadWriteMany Filesystem volumes on NFS only")
    return Backing("unknown", None, f"{evidence}: names no driver")


def _only_protocol(storage_class: ClassFacts) -> tuple[Protocol, str]:
    """The one protocol that a class allows and the parameter that says so; "unknown" where it allows several."""
    if _parameter(storage_class, "additionalStoragePools") or _parameter(storage_class, "requiredStorage"):
        return "unknown", ""
    for key in ("backendType", "storageDriverName"):
        driver = _parameter(storage_class, key)
        if driver in PROTOCOL_OF_DRIVER:
            return PROTOCOL_OF_DRIVER[driver], f"{key} {driver}"
    if san := _parameter(storage_class, "sanType"):
        return "block", f"sanType {san}"
    if nas := _parameter(storage_class, "nasType"):
        return "file", f"nasType {nas}"
    return "unknown", ""


def _parameter(storage_class: ClassFacts, key: str) -> str | None:
    """A parameter of the class, bare or with Trident's prefix; the annotation of that name goes before both."""
    prefixed = PARAMETER_PREFIX + key
    if key == "additionalStoragePools" and prefixed in storage_class.annotations:
        return storage_class.annotations[prefixed]
    return storage_class.parameters.get(key) or storage_class.parameters.get(prefixed)


def _protocol_of(driver: str | None) -> Protocol:
    return PROTOCOL_OF_DRIVER.get(driver or "", "unknown")
