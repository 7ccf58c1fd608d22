"""Objects for tests, each as short as the test that needs it."""

from typing import Any

Object = dict[str, Any]

NAMESPACE = "vms"
TRIDENT = "csi.trident.netapp.io"
RWX, RWO, ROX = "ReadWriteMany", "ReadWriteOnce", "ReadOnlyMany"


def of_kind(api_version: str, kind: str, name: str, namespace: str | None = None, **fields: Any) -> Object:
    """Return an object; fields of the metadata join that, other fields its root."""
    in_metadata = ("labels", "annotations", "uid", "creationTimestamp")
    metadata = {key: fields.pop(key) for key in in_metadata if key in fields}
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **place, **metadata}, **fields}


def vm(
    *volumes: Object, name: str = "db", spec: Object | None = None, status: Object | None = None, **fields: Any
) -> Object:
    """Return a VirtualMachine; ``fields`` join its template's spec, ``spec`` its own."""
    own = {**(spec or {}), "template": {"spec": {"domain": {}, "volumes": list(volumes), **fields}}}
    more = {"status": status} if status else {}
    return of_kind("kubevirt.io/v1", "VirtualMachine", name, NAMESPACE, spec=own, **more)


def vmi(*volumes: Object, name: str = "db", **fields: Any) -> Object:
    """Return a VirtualMachineInstance; ``fields`` join its spec."""
    spec = {"domain": {}, "volumes": list(volumes), **fields}
    return of_kind("kubevirt.io/v1", "VirtualMachineInstance", name, NAMESPACE, spec=spec)


def disk(claim: str, name: str | None = None) -> Object:
    """Return a volume of a PVC, named like the PVC."""
    return {"name": name or claim, "persistentVolumeClaim": {"claimName": claim}}


def data_volume_disk(data_volume: str, name: str | None = None) -> Object:
    """Return a volume of a DataVolume, named like it."""
    return {"name": name or data_volume, "dataVolume": {"name": data_volume}}


def host_disk(name: str, **body: Any) -> Object:
    """Return a volume that is an image file on a node."""
    return {"name": name, "hostDisk": {"path": f"/images/{name}.img", "type": "Disk", **body}}


def templated_vm(*names: str, spec: Object) -> Object:
    """Return a VirtualMachine whose disks KubeVirt makes from dataVolumeTemplates of one spec."""
    templates = [data_volume_template(name, **spec) for name in names]
    return vm(*(data_volume_disk(name) for name in names), spec={"dataVolumeTemplates": templates})


def data_volume_template(name: str, **spec: Any) -> Object:
    """Return an entry of dataVolumeTemplates."""
    return {"metadata": {"name": name}, "spec": spec}


def volume_request(volume: Object) -> Object:
    """Return a pending request to add a volume, as ``virtctl addvolume`` leaves it in the status."""
    source = {key: value for key, value in volume.items() if key != "name"}
    return {"addVolumeOptions": {"name": volume["name"], "volumeSource": source}}


def claim(
    name: str,
    *access_modes: str,
    mode: str | None = None,
    storage_class: str | None = "nas",
    volume: str | None = None,
    namespace: str = NAMESPACE,
    **spec: Any,
) -> Object:
    """Return a PersistentVolumeClaim."""
    found = {"accessModes": list(access_modes), "volumeMode": mode, "storageClassName": storage_class}
    found_spec = {key: value for key, value in {**found, "volumeName": volume, **spec}.items() if value is not None}
    return of_kind("v1", "PersistentVolumeClaim", name, namespace, spec=found_spec)


def persistent_volume(
    name: str,
    protocol: str | None = None,
    backend: str | None = None,
    driver: str = TRIDENT,
    provisioner: str | None = TRIDENT,
) -> Object:
    """Return a PersistentVolume that a CSI driver serves; without a provisioner somebody made it by hand."""
    found = {"protocol": protocol, "backendUUID": backend}
    attributes = {key: value for key, value in found.items() if value}
    annotations = {"pv.kubernetes.io/provisioned-by": provisioner} if provisioner else {}
    csi = {"driver": driver, "volumeHandle": name, "volumeAttributes": attributes}
    return of_kind("v1", "PersistentVolume", name, annotations=annotations, spec={"csi": csi})


def storage_class(
    name: str, *, provisioner: str = TRIDENT, annotations: Object | None = None, created: str = "", **parameters: str
) -> Object:
    """Return a StorageClass."""
    metadata: Object = {"annotations": annotations or {}, "creationTimestamp": created}
    return of_kind(
        "storage.k8s.io/v1", "StorageClass", name, **metadata, provisioner=provisioner, parameters=parameters
    )


def storage_profile(name: str, *sets: tuple[list[str], str]) -> Object:
    """Return a StorageProfile with its PVC property sets, each access modes and a volume mode."""
    found = [{"accessModes": modes, "volumeMode": mode} for modes, mode in sets]
    status = {"storageClass": name, "claimPropertySets": found}
    return of_kind("cdi.kubevirt.io/v1beta1", "StorageProfile", name, status=status)


def data_volume(name: str, **spec: Any) -> Object:
    """Return a DataVolume."""
    return of_kind("cdi.kubevirt.io/v1beta1", "DataVolume", name, NAMESPACE, spec=spec)


def backend(uuid: str, driver: str, name: str = "tbe-x", *, online: bool | None = None, **config: Any) -> Object:
    """Return a TridentBackend with the same name in Trident; ``config`` joins its driver's configuration."""
    more: Object = {} if online is None else {"online": online}
    found = {"ontap_config": {"storageDriverName": driver, **config}}
    return of_kind(
        *("trident.netapp.io/v1", "TridentBackend", name, "trident"),
        backendUUID=uuid,
        backendName=name,
        config=found,
        **more,
    )


def kubevirt(namespace: str = "kubevirt", *, version: str | None = None, **configuration: Any) -> Object:
    """Return a KubeVirt CR; by default VMs join the pod network by masquerade, as with HCO."""
    spec = {"configuration": {"network": {"defaultNetworkInterface": "masquerade"}, **configuration}}
    status = {"observedKubeVirtVersion": version} if version else {}
    return of_kind("kubevirt.io/v1", "KubeVirt", "kubevirt", namespace, spec=spec, status=status)


def node(
    name: str,
    *,
    unschedulable: bool = False,
    kubevirt_schedulable: str | None = "true",
    tsc: int | None = None,
    labels: dict[str, str] | None = None,
) -> Object:
    """Return a Node; ``tsc`` is the frequency that it offers, in Hz."""
    of_kubevirt = {
        "kubevirt.io/schedulable": kubevirt_schedulable,
        "cpu-timer.node.kubevirt.io/tsc-frequency": None if tsc is None else str(tsc),
    }
    found = {key: value for key, value in of_kubevirt.items() if value is not None}
    all_labels = {"kubernetes.io/hostname": name, **found, **(labels or {})}
    return of_kind("v1", "Node", name, labels=all_labels, spec={"unschedulable": True} if unschedulable else {})


def review(
    obj: Object | None,
    old: Object | None = None,
    operation: str = "CREATE",
    *,
    subresource: str = "",
    user: str = "alice",
    uid: str = "11111111-2222-3333-4444-555555555555",
) -> Object:
    """Return an AdmissionReview of a VM, as kube-apiserver sends it."""
    shown = obj or old or {}
    resource = {"VirtualMachine": "virtualmachines", "VirtualMachineInstance": "virtualmachineinstances"}[shown["kind"]]
    metadata = shown["metadata"]
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": uid,
            "kind": {"group": "kubevirt.io", "version": "v1", "kind": shown["kind"]},
            "resource": {"group": "kubevirt.io", "version": "v1", "resource": resource},
            "name": metadata.get("name", ""),
            "namespace": metadata.get("namespace", NAMESPACE),
            "operation": operation,
            "userInfo": {"username": user},
            "object": obj,
            "oldObject": old,
            **({"subResource": subresource} if subresource else {}),
        },
    }


CLASSES = (
    storage_class("nas", backendType="ontap-nas"),
    storage_class("san", backendType="ontap-san"),
    storage_class("san-economy", backendType="ontap-san-economy"),
    storage_class("other", provisioner="rbd.csi.ceph.com"),
)
CLAIMS = (
    claim("good", RWX),
    claim("good-block", RWX, mode="Block", storage_class="san"),
    claim("once", RWO),
    claim("once-block", RWO, mode="Block", storage_class="san"),
    claim("san-fs", RWX, storage_class="san"),
    claim("san-fs-once", RWO, storage_class="san"),
)
CLUSTER = (kubevirt(), *CLASSES, *CLAIMS)
"""KubeVirt, classes of NFS and SAN, and a PVC of every sort in the namespace of the VMs; no node is known."""
