"""Objects of the cluster that few tests need: instancetypes, and what storage comes from."""

from typing import Any

from tests.build import NAMESPACE, Object, of_kind

INSTANCETYPE_DOMAIN = "instancetype.kubevirt.io/"


def instancetype(name: str, namespace: str | None = None, **spec: Any) -> Object:
    """Return an instancetype: of a namespace where one is given, else of the whole cluster."""
    kind = "VirtualMachineInstancetype" if namespace else "VirtualMachineClusterInstancetype"
    return of_kind("instancetype.kubevirt.io/v1beta1", kind, name, namespace, spec=spec)


def preference(name: str, namespace: str | None = None, **spec: Any) -> Object:
    """Return a preference: of a namespace where one is given, else of the whole cluster."""
    kind = "VirtualMachinePreference" if namespace else "VirtualMachineClusterPreference"
    return of_kind("instancetype.kubevirt.io/v1beta1", kind, name, namespace, spec=spec)


def revision(name: str, of: str, **spec: Any) -> Object:
    """Return a ControllerRevision in which KubeVirt keeps an instancetype or a preference."""
    labels = {f"{INSTANCETYPE_DOMAIN}object-name": of}
    return of_kind("apps/v1", "ControllerRevision", name, NAMESPACE, labels=labels, data={"spec": spec})


def data_source(name: str, namespace: str = NAMESPACE, labels: dict[str, str] | None = None, **source: Any) -> Object:
    """Return a DataSource of CDI."""
    return of_kind(
        "cdi.kubevirt.io/v1beta1", "DataSource", name, namespace, labels=labels or {}, spec={"source": source}
    )


def clone_source(name: str, kind: str, source: str, namespace: str = NAMESPACE) -> Object:
    """Return a VolumeCloneSource of CDI."""
    spec = {"source": {"kind": kind, "name": source}}
    return of_kind("cdi.kubevirt.io/v1beta1", "VolumeCloneSource", name, namespace, spec=spec)


def snapshot(
    name: str,
    claim: str | None = None,
    content: str | None = None,
    namespace: str = NAMESPACE,
    labels: dict[str, str] | None = None,
) -> Object:
    """Return a VolumeSnapshot of a PVC, with its content."""
    return of_kind(
        "snapshot.storage.k8s.io/v1",
        "VolumeSnapshot",
        name,
        namespace,
        labels=labels or {},
        spec={"source": {"persistentVolumeClaimName": claim} if claim else {}},
        status={"boundVolumeSnapshotContentName": content} if content else {},
    )


def snapshot_content(
    name: str, handle: str, mode: str | None = "Filesystem", driver: str = "csi.trident.netapp.io"
) -> Object:
    """Return a VolumeSnapshotContent; Trident's handle is VOLUME/SNAPSHOT."""
    spec = {"driver": driver, **({"sourceVolumeMode": mode} if mode else {})}
    api_version = "snapshot.storage.k8s.io/v1"
    return of_kind(api_version, "VolumeSnapshotContent", name, spec=spec, status={"snapshotHandle": handle})


def trident_volume(name: str, protocol: str | None, backend: str | None = None, namespace: str = "trident") -> Object:
    """Return Trident's own record of a volume."""
    config = {"protocol": protocol} if protocol else {}
    found = {"config": config, **({"backendUUID": backend} if backend else {})}
    return of_kind("trident.netapp.io/v1", "TridentVolume", name, namespace, **found)


def cloned_from(kind: str, name: str, namespace: str | None = None) -> Object:
    """Return the part of a PVC's spec that says what it is filled from."""
    place = {"namespace": namespace} if namespace else {}
    return {"dataSourceRef": {"kind": kind, "name": name, **place}}
