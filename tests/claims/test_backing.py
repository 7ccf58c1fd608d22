"""Who serves a claim: the bound volume, else the class."""

import pytest

from tests.build import RWO, RWX, TRIDENT, Object, backend, persistent_volume, storage_class
from webhook.claims.backing import PROTOCOL_OF_DRIVER, backing_of
from webhook.claims.model import Backing, ClaimRequest
from webhook.cluster import Snapshot

ROX, RWOP = "ReadOnlyMany", "ReadWriteOncePod"
FS, BLOCK = "Filesystem", "Block"


def backing(
    *objects: Object,
    access: tuple[str, ...] = (RWX,),
    mode: str = FS,
    named: str | None = "sc",
    bound: str | None = None,
) -> Backing:
    return backing_of(ClaimRequest(access, mode, named), bound, Snapshot(objects))


def by_class(access: str = RWX, mode: str = FS, annotations: Object | None = None, **parameters: str) -> Backing:
    return backing(storage_class("sc", annotations=annotations, **parameters), access=(access,), mode=mode)


@pytest.mark.parametrize(("written", "protocol"), [("file", "file"), ("block", "block"), ("blockOnFile", "block")])
def test_a_bound_volume_says_its_protocol(written: str, protocol: str) -> None:
    found = backing(persistent_volume("pv", written), bound="pv")
    assert found.protocol == protocol
    assert "bound PV pv" in found.evidence
    assert written in found.evidence


def test_the_bound_volume_goes_before_the_class() -> None:
    objects = (persistent_volume("pv", "block"), storage_class("sc", backendType="ontap-nas"))
    assert backing(*objects, bound="pv").protocol == "block"


def test_the_backend_of_the_bound_volume_names_the_driver() -> None:
    objects = (
        persistent_volume("pv", "block", backend="u-2"),
        backend("u-1", "ontap-nas", "tbe-1"),
        backend("u-2", "ontap-san-economy", "tbe-2"),
    )
    found = backing(*objects, bound="pv")
    assert (found.protocol, found.driver) == ("block", "ontap-san-economy")
    assert "tbe-2" in found.evidence
    assert "tbe-1" not in found.evidence


@pytest.mark.parametrize("driver", ["ontap-nas", "ontap-san", "solidfire-san"])
def test_a_volume_that_says_no_protocol_has_that_of_its_backend(driver: str) -> None:
    found = backing(persistent_volume("pv", backend="u"), backend("u", driver), bound="pv")
    assert (found.protocol, found.driver) == (PROTOCOL_OF_DRIVER[driver], driver)


@pytest.mark.parametrize("family", ["ontap_config", "solidfire_config", "azure_config", "gcnv_config", "fake_config"])
def test_a_backend_names_its_driver_under_the_key_of_its_family(family: str) -> None:
    found = {**backend("u", "x"), "config": {"version": 1, family: {"storageDriverName": "ontap-san"}}}
    assert backing(persistent_volume("pv", backend="u"), found, bound="pv").driver == "ontap-san"


@pytest.mark.parametrize("uuid", [None, "another"])
def test_a_volume_whose_backend_is_not_there_keeps_its_protocol(uuid: str | None) -> None:
    found = backing(persistent_volume("pv", "block", backend=uuid), backend("u", "ontap-san"), bound="pv")
    assert (found.protocol, found.driver) == ("block", None)


def test_a_volume_that_says_nothing_is_not_decided() -> None:
    assert backing(persistent_volume("pv"), bound="pv").protocol == "unknown"


def test_a_volume_of_another_driver_is_foreign_whatever_it_says() -> None:
    objects = (
        persistent_volume("pv", "block", driver="rbd.csi.ceph.com"),
        storage_class("sc", backendType="ontap-san"),
    )
    found = backing(*objects, bound="pv")
    assert (found.protocol, found.driver) == ("foreign", None)
    assert "rbd.csi.ceph.com" in found.evidence


def test_a_volume_without_a_csi_driver_is_foreign() -> None:
    found = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "spec": {"nfs": {}}}
    assert backing(found, bound="pv").protocol == "foreign"


def test_where_the_bound_volume_is_missing_the_class_says() -> None:
    found = backing(storage_class("sc", backendType="ontap-san"), bound="gone")
    assert (found.protocol, found.driver) == ("block", "ontap-san")


def test_a_class_of_another_provisioner_is_foreign() -> None:
    found = backing(storage_class("sc", provisioner="rbd.csi.ceph.com", backendType="ontap-san"))
    assert found.protocol == "foreign"
    assert "rbd.csi.ceph.com" in found.evidence


@pytest.mark.parametrize(("named", "said"), [(None, "no StorageClass"), ("", "no StorageClass"), ("gone", "gone")])
def test_without_a_class_nothing_is_decided(named: str | None, said: str) -> None:
    found = backing(named=named)
    assert found.protocol == "unknown"
    assert said in found.evidence


DRIVERS = [
    ("ontap-nas", "file"),
    ("ontap-nas-economy", "file"),
    ("ontap-nas-flexgroup", "file"),
    ("azure-netapp-files", "file"),
    ("google-cloud-netapp-volumes", "file"),
    ("ontap-san", "block"),
    ("ontap-san-economy", "block"),
    ("solidfire-san", "block"),
    ("google-cloud-netapp-volumes-san", "block"),
]
KEYS = ["backendType", "storageDriverName", "trident.netapp.io/backendType", "trident.netapp.io/storageDriverName"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("driver", "protocol"), DRIVERS)
def test_a_class_names_the_driver_bare_or_with_the_prefix(key: str, driver: str, protocol: str) -> None:
    parameters: Object = {key: driver}
    found = by_class(**parameters)
    assert (found.protocol, found.driver) == (protocol, driver)
    assert driver in found.evidence


@pytest.mark.parametrize("access", [RWO, RWX])
def test_a_class_that_allows_only_san_is_judged_before_the_modes(access: str) -> None:
    assert by_class(access, FS, backendType="ontap-san").protocol == "block"


@pytest.mark.parametrize(
    ("key", "value", "protocol"),
    [
        ("sanType", "iscsi", "block"),
        ("sanType", "nvme", "block"),
        ("sanType", "fcp", "block"),
        ("trident.netapp.io/sanType", "iscsi", "block"),
        ("nasType", "nfs", "file"),
        ("nasType", "smb", "file"),
        ("trident.netapp.io/nasType", "nfs", "file"),
    ],
)
def test_the_type_of_the_storage_says_the_protocol_but_no_driver(key: str, value: str, protocol: str) -> None:
    parameters: Object = {key: value}
    found = by_class(RWO, **parameters)
    assert (found.protocol, found.driver) == (protocol, None)


@pytest.mark.parametrize(
    "key",
    [
        "additionalStoragePools",
        "requiredStorage",
        "trident.netapp.io/additionalStoragePools",
        "trident.netapp.io/requiredStorage",
    ],
)
@pytest.mark.parametrize(
    ("access", "protocol"), [(RWO, "unknown"), (RWX, "file")], ids=["ReadWriteOnce", "ReadWriteMany"]
)
def test_additional_pools_open_a_class_to_other_drivers(key: str, access: str, protocol: str) -> None:
    parameters: Object = {"backendType": "ontap-san", key: "nas:.*"}
    found = by_class(access, **parameters)
    assert (found.protocol, found.driver) == (protocol, None)


def test_the_annotation_of_additional_pools_opens_a_class() -> None:
    annotations: Object = {"trident.netapp.io/additionalStoragePools": "nas:.*"}
    assert by_class(RWO, annotations=annotations, backendType="ontap-san").protocol == "unknown"


def test_an_empty_annotation_of_additional_pools_closes_a_class() -> None:
    annotations: Object = {"trident.netapp.io/additionalStoragePools": ""}
    parameters: Object = {"backendType": "ontap-san", "additionalStoragePools": "nas:.*"}
    assert by_class(RWO, annotations=annotations, **parameters).protocol == "block"


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"fsType": "ext4"},
        {"selector": "creditpoints=5000"},
        {"storagePools": "NetAppAFF:.*;NetAppHCI:Gold"},
        {"media": "ssd"},
        {"backendType": "ontap_san"},
        {"backendType": "Ontap-SAN"},
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    ("mode", "access", "protocol"),
    [
        (FS, RWO, "unknown"),
        (FS, RWOP, "unknown"),
        (FS, ROX, "unknown"),
        (FS, RWX, "file"),
        (BLOCK, RWO, "block"),
        (BLOCK, RWOP, "block"),
        (BLOCK, ROX, "block"),
        (BLOCK, RWX, "block"),
    ],
)
def test_where_a_class_of_trident_names_no_driver_the_modes_decide(
    parameters: Object, mode: str, access: str, protocol: str
) -> None:
    assert by_class(access, mode, **parameters).protocol == protocol


def test_read_write_many_among_other_modes_is_enough() -> None:
    assert backing(storage_class("sc"), access=(RWO, RWX)).protocol == "file"


def test_the_provisioner_of_trident_is_its_csi_driver() -> None:
    assert backing(storage_class("sc", provisioner=TRIDENT, backendType="ontap-nas")).driver == "ontap-nas"
