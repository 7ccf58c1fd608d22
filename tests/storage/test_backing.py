"""Who serves a PVC that is not bound: its class and what it asks for decide."""

import pytest

from tests.build import RWO, RWX, Object, storage_class
from tests.storage.asking import backing

SAN: Object = {"backendType": "ontap-san"}


def test_without_a_class_nothing_is_decided_and_one_of_another_provisioner_is_foreign() -> None:
    absent = ((None, "no StorageClass"), ("", "no StorageClass"), ("gone", "StorageClass gone does not exist"))
    for named, evidence in absent:
        found = backing(storage_class=named)
        assert (found.protocol, found.evidence) == ("unknown", evidence)
    found = backing(storage_class("sc", provisioner="rbd.csi.ceph.com", **SAN))
    assert (found.protocol, found.evidence) == ("foreign", "StorageClass sc: served by rbd.csi.ceph.com")
    assert backing(storage_class("sc", provisioner="netapp.io/trident", **SAN)).driver == "ontap-san", "before CSI"


DECIDING: list[tuple[Object, tuple[str, str | None, str | None]]] = [
    # parameters; protocol, driver, NAS type
    ({"backendType": "ontap-nas"}, ("file", "ontap-nas", None)),
    ({"backendType": "ontap-nas", "nasType": "smb"}, ("file", "ontap-nas", "smb")),
    (SAN, ("block", "ontap-san", None)),
    ({"storageDriverName": "ontap-san"}, ("block", "ontap-san", None)),
    ({"trident.netapp.io/backendType": "ontap-san"}, ("block", "ontap-san", None)),
    ({"sanType": "nvme"}, ("block", None, None)),
    ({"trident.netapp.io/sanType": "iscsi"}, ("block", None, None)),
    ({"nasType": "nfs"}, ("file", None, "nfs")),
    ({"nasType": "SMB"}, ("file", None, "smb")),
]


@pytest.mark.parametrize("access", [RWO, RWX])
@pytest.mark.parametrize(("parameters", "expected"), DECIDING, ids=[repr(row[0]) for row in DECIDING])
def test_a_class_that_names_the_driver_or_its_type_decides_whatever_the_modes(
    access: str, parameters: Object, expected: tuple[str, str | None, str | None]
) -> None:
    found = backing(storage_class("sc", **parameters), access_modes=(access,))
    assert (found.protocol, found.driver, found.nas_type) == expected
    assert next(iter(parameters.values())).lower() in found.evidence


NOT_DECIDING: list[Object] = [{}, {"selector": "tier=gold"}, {"storagePools": "nas:.*"}, {"backendType": "Ontap-SAN"}]
ASKED = [
    # annotation, access modes, volume mode, protocol, evidence after the class's
    ("file", (RWO,), "Filesystem", "file", ", the PVC asks for protocol file"),
    ("block", (RWX,), "Filesystem", "block", ", the PVC asks for protocol block"),
    ("block", (RWO,), "Block", "block", ", the PVC asks for protocol block"),
    ("file", (RWO,), "Block", "file", ", the PVC asks for protocol file"),
    ("any", (RWO,), "Filesystem", "unknown", ""),
    ("any", (RWO, RWX), "Filesystem", "file", ", Trident serves ReadWriteMany Filesystem volumes over NFS only"),
    ("any", (RWO,), "Block", "block", ", Trident serves Block volumes over block protocols only"),
]


@pytest.mark.parametrize("parameters", NOT_DECIDING, ids=repr)
@pytest.mark.parametrize(("annotation", "access", "mode", "protocol", "evidence"), ASKED)
def test_the_protocol_that_a_pvc_asks_for_and_its_modes_decide_where_its_class_of_trident_does_not(
    parameters: Object, annotation: str, access: tuple[str, ...], mode: str, protocol: str, evidence: str
) -> None:
    request: Object = {"access_modes": access, "volume_mode": mode, "annotations": {"protocol": annotation}}
    found = backing(storage_class("sc", **parameters), **request)
    assert (found.protocol, found.evidence) == (protocol, f"StorageClass sc: names no driver{evidence}")
