"""Who serves a PVC: its volume or Trident's own record of it, else its class and what it asks for."""

from typing import Any

import pytest

from tests.build import RWO, RWX, Object, backend, persistent_volume, storage_class
from tests.build_facts import trident_volume
from tests.storage.asking import backing
from webhook.storage.model import Backing

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


SAN_CLASS = storage_class("sc", **SAN)
BACKENDS = (
    backend("u-smb", "ontap-nas", "tbe-smb", nasType="SMB"),
    backend("u-san", "ontap-san-economy", "tbe-san"),
    backend("u-new", "new", "tbe-new"),
)


def bound_to(*objects: Object, volume: str = "pv", **request: Any) -> Backing:
    return backing(*objects, volume_name=volume, **request)


UNREAD = "block, backend another (no TridentBackend with this UUID can be read)"
RECORDED: list[tuple[tuple[str | None, str | None], tuple[str, str | None, str | None], str]] = [
    # protocol and backend of the volume; protocol, driver and NAS type that count; evidence
    (("file", None), ("file", None, None), "file"),
    (("block", None), ("block", None, None), "block"),
    (("blockOnFile", None), ("block", None, None), "blockOnFile"),
    (("FILE", None), ("unknown", None, None), "FILE"),
    (("block", "u-san"), ("block", "ontap-san-economy", None), "block, backend tbe-san ontap-san-economy"),
    (("block", "another"), ("block", None, None), UNREAD),
    ((None, "u-smb"), ("file", "ontap-nas", "smb"), "not recorded, backend tbe-smb ontap-nas"),
    ((None, "u-san"), ("block", "ontap-san-economy", None), "not recorded, backend tbe-san ontap-san-economy"),
    ((None, "u-new"), ("unknown", "new", None), "not recorded, backend tbe-new new"),
    ((None, None), ("unknown", None, None), "not recorded"),
]


@pytest.mark.parametrize(("recorded", "expected", "evidence"), RECORDED, ids=[str(row[0]) for row in RECORDED])
def test_a_bound_volume_has_its_protocol_or_that_of_its_backend_whatever_its_class_says(
    recorded: tuple[str | None, str | None], expected: tuple[str, str | None, str | None], evidence: str
) -> None:
    found = bound_to(persistent_volume("pv", *recorded), storage_class("sc", backendType="ontap-nas"), *BACKENDS)
    assert (found.protocol, found.driver, found.nas_type) == expected
    assert found.evidence == f"bound PV pv: protocol {evidence}"


@pytest.mark.parametrize("family", ["ontap_config", "solidfire_config", "azure_config", "gcnv_config", "fake_config"])
def test_a_backend_names_its_driver_under_the_key_of_its_family(family: str) -> None:
    found = {**backend("u", "x"), "config": {"version": 1, family: {"storageDriverName": "ontap-san"}}}
    assert bound_to(persistent_volume("pv", backend="u"), found).driver == "ontap-san"


def test_the_class_decides_where_the_volume_is_missing_or_that_of_a_pvc_in_block_mode() -> None:
    assert bound_to(SAN_CLASS, volume="gone").driver == "ontap-san"
    for access in (RWO, RWX):
        found = bound_to(persistent_volume("pv", "file"), SAN_CLASS, access_modes=(access,), volume_mode="Block")
        assert found.driver == "ontap-san"


MANUAL: dict[str, tuple[str, tuple[str | None, str | None] | None, str, str | None]] = {
    # protocol of the volume, protocol and backend of the record, protocol and driver that count
    "the record says block": ("file", ("block", None), "block", "ontap-nas"),
    "the record says file": ("block", ("file", None), "file", "ontap-nas"),
    "the record says no protocol": ("block", (None, None), "block", "ontap-nas"),
    "the record names the backend": ("file", ("block", "u"), "block", "ontap-san"),
    "there is no record": ("file", None, "file", "ontap-nas"),
}


@pytest.mark.parametrize(("written", "recorded", "protocol", "driver"), MANUAL.values(), ids=MANUAL)
def test_tridents_own_record_counts_for_a_manually_created_volume(
    written: str, recorded: tuple[str | None, str | None] | None, protocol: str, driver: str
) -> None:
    objects = [persistent_volume("pv", written, backend="asserted", provisioner=None)]
    backends = [backend("u", "ontap-san"), backend("asserted", "ontap-nas", "tbe-other")]
    found = bound_to(*objects, *backends, *([trident_volume("pv", *recorded)] if recorded else []))
    assert (found.protocol, found.driver) == (protocol, driver)


@pytest.mark.parametrize(
    ("setting", "backends", "read_from"),
    [("auto", "", "trident"), ("auto", "a a", "a"), ("auto", "a b", "trident"), ("mine", "a", "mine")],
)
def test_the_record_counts_only_in_tridents_own_namespace(setting: str, backends: str, read_from: str) -> None:
    objects = [persistent_volume("pv", "file", provisioner=None)]
    for index, namespace in enumerate(backends.split()):
        objects.append(backend("u", "ontap-nas", f"tbe-{index}"))
        objects[-1]["metadata"]["namespace"] = namespace
    for namespace in ("trident", "a", "b", "mine"):
        served = bound_to(*objects, trident_volume("pv", "block", namespace=namespace), trident=setting)
        assert served.protocol == ("block" if namespace == read_from else "file")


def test_what_trident_wrote_into_a_volume_that_it_provisioned_counts_before_its_record() -> None:
    assert bound_to(persistent_volume("pv", "file"), trident_volume("pv", "block")).protocol == "file"


def of_source(provisioner: str | None, source: str) -> Object:
    """Return a volume that no CSI driver serves."""
    return {**persistent_volume("pv", provisioner=provisioner), "spec": {source: {}}}


OTHERS: list[tuple[Object, str, str]] = [
    # volume, protocol, evidence
    (persistent_volume("pv", "block", driver="rbd.csi.ceph.com"), "foreign", "served by rbd.csi.ceph.com"),
    (of_source(None, "nfs"), "foreign", "served by no CSI driver"),
    (of_source("other", "nfs"), "foreign", "served by no CSI driver"),
    (of_source("netapp.io/trident", "nfs"), "file", "nfs volume of Trident before CSI"),
    (of_source("netapp.io/trident", "iscsi"), "block", "iscsi volume of Trident before CSI"),
]


@pytest.mark.parametrize(("volume", "protocol", "evidence"), OTHERS)
def test_a_volume_of_no_driver_of_trident_is_known_by_its_source(volume: Object, protocol: str, evidence: str) -> None:
    found = bound_to(volume, SAN_CLASS)
    assert (found.protocol, found.driver, found.evidence) == (protocol, None, f"bound PV pv: {evidence}")
