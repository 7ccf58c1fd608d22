"""Who serves a PVC that is bound: its volume says it, or Trident's own record of a manually created volume."""

from typing import Any

import pytest

from tests.build import RWO, RWX, Object, backend, persistent_volume, storage_class
from tests.build_facts import trident_volume
from tests.storage import asking
from webhook.storage.model import Backing

SAN_CLASS = storage_class("sc", backendType="ontap-san")
BACKENDS = (
    backend("u-smb", "ontap-nas", "tbe-smb", nasType="SMB"),
    backend("u-san", "ontap-san-economy", "tbe-san"),
    backend("u-new", "new", "tbe-new"),
)


def backing(*objects: Object, bound: str = "pv", **request: Any) -> Backing:
    return asking.backing(*objects, volume_name=bound, **request)


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
    found = backing(persistent_volume("pv", *recorded), storage_class("sc", backendType="ontap-nas"), *BACKENDS)
    assert (found.protocol, found.driver, found.nas_type) == expected
    assert found.evidence == f"bound PV pv: protocol {evidence}"


@pytest.mark.parametrize("family", ["ontap_config", "solidfire_config", "azure_config", "gcnv_config", "fake_config"])
def test_a_backend_names_its_driver_under_the_key_of_its_family(family: str) -> None:
    found = {**backend("u", "x"), "config": {"version": 1, family: {"storageDriverName": "ontap-san"}}}
    assert backing(persistent_volume("pv", backend="u"), found).driver == "ontap-san"


def test_a_volume_of_another_driver_or_of_none_is_foreign_whatever_its_class_says() -> None:
    found = backing(persistent_volume("pv", "block", driver="rbd.csi.ceph.com"), SAN_CLASS)
    assert (found.protocol, found.driver) == ("foreign", None)
    assert found.evidence == "bound PV pv: served by rbd.csi.ceph.com"
    no_csi = backing({**persistent_volume("pv", provisioner=None), "spec": {"nfs": {}}}, SAN_CLASS)
    assert (no_csi.protocol, no_csi.evidence) == ("foreign", "bound PV pv: served by no CSI driver")


def test_the_class_decides_where_the_volume_is_missing_or_that_of_a_pvc_in_block_mode() -> None:
    assert backing(SAN_CLASS, bound="gone").driver == "ontap-san"
    for access in (RWO, RWX):
        found = backing(persistent_volume("pv", "file"), SAN_CLASS, access_modes=(access,), volume_mode="Block")
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
    found = backing(*objects, *backends, *([trident_volume("pv", *recorded)] if recorded else []))
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
        served = backing(*objects, trident_volume("pv", "block", namespace=namespace), trident=setting)
        assert served.protocol == ("block" if namespace == read_from else "file")


def test_what_trident_wrote_into_a_volume_that_it_provisioned_counts_before_its_record() -> None:
    assert backing(persistent_volume("pv", "file"), trident_volume("pv", "block")).protocol == "file"


@pytest.mark.parametrize(
    ("in_tree", "provisioner", "protocol"),
    [("nfs", "netapp.io/trident", "file"), ("iscsi", "netapp.io/trident", "block"), ("nfs", "other", "foreign")],
)
def test_a_volume_of_trident_before_csi_is_known_by_its_source(
    in_tree: str, provisioner: str | None, protocol: str
) -> None:
    found = backing({**persistent_volume("pv", provisioner=provisioner), "spec": {in_tree: {}}})
    assert found.protocol == protocol
    if protocol != "foreign":
        assert found.evidence == f"bound PV pv: {in_tree} volume of Trident before CSI"
