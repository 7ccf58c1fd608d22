"""StorageClasses: the default ones, and what CDI offers on one."""

from __future__ import annotations

from collections.abc import Iterable

from webhook.cluster import Cluster
from webhook.cluster.facts import ClassFacts, PropertySet
from webhook.cluster.resources import PROFILES
from webhook.storage.model import BLOCK_MODE, FILESYSTEM_MODE

CSI_TRIDENT = "csi.trident.netapp.io"
_NAS = (PropertySet(("ReadWriteMany",), FILESYSTEM_MODE), PropertySet(("ReadWriteOnce",), FILESYSTEM_MODE))
_SAN = (PropertySet(("ReadWriteMany",), BLOCK_MODE),)


def kubernetes_default(classes: Iterable[ClassFacts]) -> ClassFacts | None:
    """Return the cluster's default class, or None.

    Of several the newest, then the first by name: Kubernetes 1.36 ``pkg/volume/util/storageclass.go``.
    """
    return _newest(found for found in classes if found.is_default)


def virt_default(classes: Iterable[ClassFacts]) -> ClassFacts | None:
    """Return the default class for disks of VMs, or None.

    KubeVirt's annotation comes before Kubernetes': CDI 1.66 ``pkg/controller/common/util.go``.
    """
    known = list(classes)
    return _newest(found for found in known if found.is_virt_default) or kubernetes_default(known)


def _newest(classes: Iterable[ClassFacts]) -> ClassFacts | None:
    by_name = sorted(classes, key=lambda found: found.name)
    return max(by_name, key=lambda found: found.created, default=None)


def property_sets_of(storage_class: ClassFacts, cluster: Cluster) -> tuple[PropertySet, ...]:
    """Return the class's claim property sets, best first; empty where CDI knows none.

    They are in the StorageProfile. Where CDI has not written it yet, they are what CDI will write for a class of
    Trident: CDI 1.66 ``pkg/storagecapabilities/storagecapabilities.go``, which reads ``backendType`` and ``selector``
    without prefix only.
    """
    profile = cluster.get(PROFILES, storage_class.name)
    if profile is not None and profile.written:
        return profile.property_sets
    if storage_class.provisioner != CSI_TRIDENT:
        return ()
    backend_type = storage_class.parameters.get("backendType", "")
    if backend_type.startswith("ontap-nas") or _is_gcnv_flex(storage_class):
        return _NAS
    return _SAN if backend_type.startswith("ontap-san") else ()


def _is_gcnv_flex(storage_class: ClassFacts) -> bool:
    if storage_class.parameters.get("backendType") != "google-cloud-netapp-volumes":
        return False
    selector = storage_class.parameters.get("selector", "").replace(";", ",").split(",")
    return "performance=flex" in (term.strip() for term in selector)
