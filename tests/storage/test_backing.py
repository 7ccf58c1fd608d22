"""Who serves a PVC: the bound volume, else the class."""

import pytest

from tests.build import RWO, RWX, TRIDENT, Object, storage_class
from webhook.cluster import Snapshot
from webhook.storage.model import Backing, ClaimRequest
from webhook.storage.origin import Origins

ROX, RWOP = "ReadOnlyMany", "ReadWriteOncePod"
FS, BLOCK = "Filesystem", "Block"


def backing(
    *objects: Object,
    access: tuple[str, ...] = (RWX,),
    mode: str = FS,
    named: str | None = "sc",
    bound: str | None = None,
) -> Backing:
    return Origins(Snapshot(objects), "trident").backing_of(ClaimRequest(access, mode, named, volume_name=bound))


def by_class(access: str = RWX, mode: str = FS, annotations: Object | None = None, **parameters: str) -> Backing:
    return backing(storage_class("sc", annotations=annotations, **parameters), access=(access,), mode=mode)


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
def test_a_class_that_allows_only_san_is_evaluated_before_the_modes(access: str) -> None:
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


def test_a_pvc_on_a_class_that_old_trident_serves_is_tridents() -> None:
    assert backing(storage_class("sc", provisioner="netapp.io/trident", backendType="ontap-san")).driver == "ontap-san"


ASKED = [
    # annotation, mode, protocol
    ("file", FS, "file"),
    ("block", FS, "block"),
    ("block", BLOCK, "block"),
    ("file", BLOCK, "file"),
    ("any", FS, "unknown"),
]


@pytest.mark.parametrize(("annotation", "mode", "protocol"), ASKED)
def test_the_protocol_that_a_pvc_asks_for_decides_where_its_class_does_not(
    annotation: str, mode: str, protocol: str
) -> None:
    request = ClaimRequest((RWO,), mode, "sc", annotations={"protocol": annotation})
    found = Origins(Snapshot([storage_class("sc")]), "trident").backing_of(request)
    assert found.protocol == protocol
    assert (f"asks for protocol {annotation}" in found.evidence) is (annotation != "any")


def test_a_pvc_asking_for_a_filesystem_of_many_nodes_over_block_is_taken_at_its_word() -> None:
    """Trident would never make it, so anyone who asks for it is told that it is on SAN."""
    request = ClaimRequest((RWX,), FS, "sc", annotations={"protocol": "block"})
    assert Origins(Snapshot([storage_class("sc")]), "trident").backing_of(request).protocol == "block"
