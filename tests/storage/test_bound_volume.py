"""Who serves a PVC that is bound: its volume says it, or Trident's own record of a manually created volume."""

from typing import Any

import pytest

from tests.build import RWO, RWX, Object, backend, persistent_volume, storage_class
from tests.build_facts import trident_volume
from tests.storage import asking
from webhook.storage.model import Backing

SAN_CLASS = storage_class("sc", backendType="ontap-san")


def backing(*objects: Object, bound: str = "pv", **request: Any) -> Backing:
    return asking.backing(*objects, volume_name=bound, **request)


@pytest.mark.parametrize(("written", "protocol"), [("file", "file"), ("block", "block"), ("blockOnFile", "block")])
def test_a_bound_volume_has_its_protocol_whatever_its_class_says(written: str, protocol: str) -> None:
    found = backing(persistent_volume("pv", written), storage_class("sc", backendType="ontap-nas"))
    assert (found.protocol, found.evidence) == (protocol, f"bound PV pv: protocol {written}")


def test_the_backend_of_the_bound_volume_names_the_driver() -> None:
    others = (backend("u-1", "ontap-nas", "tbe-1"), backend("u-2", "ontap-san-economy", "tbe-2"))
    found = backing(persistent_volume("pv", "block", backend="u-2"), *others)
    assert (found.protocol, found.driver) == ("block", "ontap-san-economy")
    assert found.evidence == "bound PV pv: protocol block, backend tbe-2 ontap-san-economy"


@pytest.mark.parametrize(("driver", "protocol"), [("ontap-nas", "file"), ("ontap-san", "block"), ("new", "unknown")])
def test_a_volume_that_records_no_protocol_has_that_of_its_backend(driver: str, protocol: str) -> None:
    found = backing(persistent_volume("pv", backend="u"), backend("u", driver))
    assert (found.protocol, found.driver) == (protocol, driver)
    assert found.evidence == f"bound PV pv: protocol not recorded, backend tbe-x {driver}"


@pytest.mark.parametrize("family", ["ontap_config", "solidfire_config", "azure_config", "gcnv_config", "fake_config"])
def test_a_backend_names_its_driver_under_the_key_of_its_family(family: str) -> None:
    found = {**backend("u", "x"), "config": {"version": 1, family: {"storageDriverName": "ontap-san"}}}
    assert backing(persistent_volume("pv", backend="u"), found).driver == "ontap-san"


UNREAD = "bound PV pv: protocol block, backend another (no TridentBackend with this UUID can be read)"


@pytest.mark.parametrize(("uuid", "evidence"), [(None, "bound PV pv: protocol block"), ("another", UNREAD)])
def test_a_volume_whose_backend_is_not_there_keeps_its_protocol(uuid: str | None, evidence: str) -> None:
    found = backing(persistent_volume("pv", "block", backend=uuid), backend("u", "ontap-san"))
    assert (found.protocol, found.driver, found.evidence) == ("block", None, evidence)


def test_a_volume_of_another_driver_or_of_none_is_foreign_whatever_its_class_says() -> None:
    found = backing(persistent_volume("pv", "block", driver="rbd.csi.ceph.com"), SAN_CLASS)
    assert (found.protocol, found.driver) == ("foreign", None)
    assert found.evidence == "bound PV pv: served by rbd.csi.ceph.com"
    no_csi = backing({**persistent_volume("pv", provisioner=None), "spec": {"nfs": {}}}, SAN_CLASS)
    assert (no_csi.protocol, no_csi.evidence) == ("foreign", "bound PV pv: served by no CSI driver")


def test_the_class_decides_where_the_volume_is_missing_or_of_a_pvc_in_block_mode_and_else_nothing() -> None:
    assert backing(SAN_CLASS, bound="gone").driver == "ontap-san"
    for access in (RWO, RWX):
        found = backing(persistent_volume("pv", "file"), SAN_CLASS, access_modes=(access,), volume_mode="Block")
        assert found.driver == "ontap-san"
    assert backing(persistent_volume("pv")).protocol == "unknown"


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


@pytest.mark.parametrize(("written", "read"), [("SMB", "smb"), ("nfs", "nfs"), (None, None)])
def test_the_backend_of_a_bound_volume_says_whether_it_is_an_smb_share(written: str | None, read: str | None) -> None:
    config: Object = {"nasType": written} if written else {}
    objects = (persistent_volume("pv", "file", backend="u"), backend("u", "ontap-nas", **config))
    assert backing(*objects).nas_type == read
