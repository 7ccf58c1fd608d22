"""Who serves a PVC that is not bound: its class and what it asks for decide."""

import pytest

from tests.build import ROX, RWO, RWX, Object, storage_class
from tests.storage.asking import backing
from webhook.storage.model import Backing

FS, BLOCK = "Filesystem", "Block"
ADDITIONAL = "trident.netapp.io/additionalStoragePools"
SAN = {"backendType": "ontap-san"}


def by_class(access: str = RWX, mode: str = FS, annotations: Object | None = None, **parameters: str) -> Backing:
    made = storage_class("sc", annotations=annotations, **parameters)
    return backing(made, access_modes=(access,), volume_mode=mode)


def test_a_class_of_another_provisioner_is_foreign() -> None:
    found = backing(storage_class("sc", provisioner="rbd.csi.ceph.com", backendType="ontap-san"))
    assert (found.protocol, found.evidence) == ("foreign", "StorageClass sc: served by rbd.csi.ceph.com")


def test_without_a_class_nothing_is_decided() -> None:
    absent = ((None, "no StorageClass"), ("", "no StorageClass"), ("gone", "StorageClass gone does not exist"))
    for named, evidence in absent:
        found = backing(storage_class=named)
        assert (found.protocol, found.evidence) == ("unknown", evidence)


DECIDING: list[tuple[Object, str, str | None]] = [
    # parameters, protocol, driver
    ({"backendType": "ontap-nas"}, "file", "ontap-nas"),
    ({"backendType": "ontap-san"}, "block", "ontap-san"),
    ({"storageDriverName": "ontap-san"}, "block", "ontap-san"),
    ({"trident.netapp.io/backendType": "ontap-san"}, "block", "ontap-san"),
    ({"sanType": "nvme"}, "block", None),
    ({"trident.netapp.io/sanType": "iscsi"}, "block", None),
    ({"nasType": "nfs"}, "file", None),
]


@pytest.mark.parametrize("access", [RWO, RWX])
@pytest.mark.parametrize(("parameters", "protocol", "driver"), DECIDING, ids=[repr(row[0]) for row in DECIDING])
def test_a_class_that_names_the_driver_or_its_type_decides_whatever_the_modes(
    access: str, parameters: Object, protocol: str, driver: str | None
) -> None:
    found = by_class(access, **parameters)
    assert (found.protocol, found.driver) == (protocol, driver)
    assert next(iter(parameters.values())) in found.evidence


def test_a_class_that_names_the_nas_type_says_whether_it_is_an_smb_share() -> None:
    assert [by_class(nasType=written).nas_type for written in ("smb", "SMB", "nfs")] == ["smb", "smb", "nfs"]
    assert by_class(backendType="ontap-nas", nasType="smb").nas_type == "smb"


@pytest.mark.parametrize("key", ["additionalStoragePools", "requiredStorage", ADDITIONAL])
def test_additional_pools_open_a_class_to_other_drivers(key: str) -> None:
    parameters: Object = {**SAN, key: "nas:.*"}
    for access, protocol in ((RWO, "unknown"), (RWX, "file")):
        found = by_class(access, **parameters)
        assert (found.protocol, found.driver) == (protocol, None)


def test_the_annotation_of_additional_pools_overrides_the_parameter() -> None:
    assert by_class(RWO, annotations={ADDITIONAL: "nas:.*"}, **SAN).protocol == "unknown"
    closed = {**SAN, "additionalStoragePools": "nas:.*"}
    assert by_class(RWO, annotations={ADDITIONAL: ""}, **closed).protocol == "block"


MODES = [(FS, RWO, "unknown"), (FS, ROX, "unknown"), (FS, RWX, "file"), (BLOCK, RWO, "block"), (BLOCK, RWX, "block")]
NOT_DECIDING: list[Object] = [{}, {"selector": "tier=gold"}, {"storagePools": "nas:.*"}, {"backendType": "Ontap-SAN"}]


@pytest.mark.parametrize("parameters", NOT_DECIDING, ids=repr)
@pytest.mark.parametrize(("mode", "access", "protocol"), MODES)
def test_where_a_class_of_trident_names_no_driver_the_modes_decide(
    parameters: Object, mode: str, access: str, protocol: str
) -> None:
    assert by_class(access, mode, **parameters).protocol == protocol


def test_read_write_many_among_other_modes_is_enough_and_tridents_provisioner_before_csi_is_its_own() -> None:
    assert backing(storage_class("sc"), access_modes=(RWO, RWX)).protocol == "file"
    assert backing(storage_class("sc", provisioner="netapp.io/trident", backendType="ontap-san")).driver == "ontap-san"


ASKED = [
    # annotation, access mode, volume mode, protocol, evidence after the class's
    ("file", RWO, FS, "file", ", the PVC asks for protocol file"),
    ("block", RWO, FS, "block", ", the PVC asks for protocol block"),
    ("block", RWX, FS, "block", ", the PVC asks for protocol block"),
    ("block", RWO, BLOCK, "block", ", the PVC asks for protocol block"),
    ("file", RWO, BLOCK, "file", ", the PVC asks for protocol file"),
    ("any", RWO, FS, "unknown", ""),
    ("any", RWX, FS, "file", ", Trident serves ReadWriteMany Filesystem volumes over NFS only"),
    ("any", RWO, BLOCK, "block", ", Trident serves Block volumes over block protocols only"),
]


@pytest.mark.parametrize(("annotation", "access", "mode", "protocol", "evidence"), ASKED)
def test_the_protocol_that_a_pvc_asks_for_decides_where_its_class_does_not_though_trident_would_not_make_it(
    annotation: str, access: str, mode: str, protocol: str, evidence: str
) -> None:
    request: Object = {"access_modes": (access,), "volume_mode": mode, "annotations": {"protocol": annotation}}
    found = backing(storage_class("sc"), **request)
    assert (found.protocol, found.evidence) == (protocol, f"StorageClass sc: names no driver{evidence}")
