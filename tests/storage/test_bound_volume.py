"""Who serves a PVC that is bound: its volume says it, and Trident's own record where somebody made the volume."""

import pytest

from tests.build import RWO, RWX, Object, backend, persistent_volume, storage_class
from tests.build_facts import trident_volume
from webhook.cluster import Snapshot
from webhook.storage.model import Backing, ClaimRequest
from webhook.storage.origin import Origins

FS, BLOCK = "Filesystem", "Block"


def backing(
    *objects: Object, access: tuple[str, ...] = (RWX,), mode: str = FS, bound: str = "pv", trident: str = "auto"
) -> Backing:
    return Origins(Snapshot(objects), trident).backing_of(ClaimRequest(access, mode, "sc", volume_name=bound))


@pytest.mark.parametrize(("written", "protocol"), [("file", "file"), ("block", "block"), ("blockOnFile", "block")])
def test_a_bound_volume_says_its_protocol(written: str, protocol: str) -> None:
    found = backing(persistent_volume("pv", written))
    assert found.protocol == protocol
    assert "bound PV pv" in found.evidence
    assert written in found.evidence


def test_the_bound_volume_goes_before_the_class() -> None:
    objects = (persistent_volume("pv", "block"), storage_class("sc", backendType="ontap-nas"))
    assert backing(*objects).protocol == "block"


def test_the_backend_of_the_bound_volume_names_the_driver() -> None:
    objects = (
        persistent_volume("pv", "block", backend="u-2"),
        backend("u-1", "ontap-nas", "tbe-1"),
        backend("u-2", "ontap-san-economy", "tbe-2"),
    )
    found = backing(*objects)
    assert (found.protocol, found.driver) == ("block", "ontap-san-economy")
    assert "tbe-2" in found.evidence
    assert "tbe-1" not in found.evidence


@pytest.mark.parametrize(("driver", "protocol"), [("ontap-nas", "file"), ("ontap-san", "block"), ("new", "unknown")])
def test_a_volume_that_says_no_protocol_has_that_of_its_backend(driver: str, protocol: str) -> None:
    found = backing(persistent_volume("pv", backend="u"), backend("u", driver))
    assert (found.protocol, found.driver) == (protocol, driver)


@pytest.mark.parametrize("family", ["ontap_config", "solidfire_config", "azure_config", "gcnv_config", "fake_config"])
def test_a_backend_names_its_driver_under_the_key_of_its_family(family: str) -> None:
    found = {**backend("u", "x"), "config": {"version": 1, family: {"storageDriverName": "ontap-san"}}}
    assert backing(persistent_volume("pv", backend="u"), found).driver == "ontap-san"


@pytest.mark.parametrize("uuid", [None, "another"])
def test_a_volume_whose_backend_is_not_there_keeps_its_protocol(uuid: str | None) -> None:
    found = backing(persistent_volume("pv", "block", backend=uuid), backend("u", "ontap-san"))
    assert (found.protocol, found.driver) == ("block", None)


def test_a_backend_that_cannot_be_read_is_said_to_be_so() -> None:
    found = backing(persistent_volume("pv", "block", backend="u"))
    assert found.evidence == "bound PV pv: protocol block, backend u (no TridentBackend with this UUID can be read)"


def test_a_volume_that_says_nothing_is_not_decided() -> None:
    assert backing(persistent_volume("pv")).protocol == "unknown"


def test_a_volume_of_another_driver_is_foreign_whatever_it_says() -> None:
    objects = (
        persistent_volume("pv", "block", driver="rbd.csi.ceph.com"),
        storage_class("sc", backendType="ontap-san"),
    )
    found = backing(*objects)
    assert (found.protocol, found.driver) == ("foreign", None)
    assert "rbd.csi.ceph.com" in found.evidence


def test_a_volume_without_a_csi_driver_is_foreign() -> None:
    found = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "spec": {"nfs": {}}}
    assert backing(found).protocol == "foreign"


def test_where_the_bound_volume_is_missing_the_class_says() -> None:
    found = backing(storage_class("sc", backendType="ontap-san"), bound="gone")
    assert (found.protocol, found.driver) == ("block", "ontap-san")


@pytest.mark.parametrize("access", [RWO, RWX])
def test_the_volume_of_a_pvc_in_block_mode_is_not_looked_at(access: str) -> None:
    objects = (persistent_volume("pv", "file"), storage_class("sc", backendType="ontap-san"))
    assert backing(*objects, access=(access,), mode=BLOCK).driver == "ontap-san"


MADE_BY_HAND = [
    ("Trident's record says block", "file", ("block", None), "block"),
    ("Trident's record says file", "block", ("file", None), "file"),
    ("Trident's record says no protocol", "block", (None, None), "block"),
    ("Trident has no record", "file", None, "file"),
]


@pytest.mark.parametrize(
    ("written", "recorded", "protocol"), [row[1:] for row in MADE_BY_HAND], ids=[row[0] for row in MADE_BY_HAND]
)
def test_of_a_volume_that_somebody_made_by_hand_tridents_own_record_counts(
    written: str, recorded: tuple[str | None, str | None] | None, protocol: str
) -> None:
    objects = [persistent_volume("pv", written, provisioner=None)]
    if recorded:
        objects.append(trident_volume("pv", *recorded))
    assert backing(*objects).protocol == protocol


def test_the_record_of_a_volume_made_by_hand_names_its_backend() -> None:
    found = backing(
        persistent_volume("pv", "file", backend="asserted", provisioner=None),
        trident_volume("pv", "block", "u"),
        backend("u", "ontap-san"),
        backend("asserted", "ontap-nas", "tbe-other"),
        bound="pv",
    )
    assert (found.protocol, found.driver) == ("block", "ontap-san")


def in_namespace(obj: Object, namespace: str) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}


@pytest.mark.parametrize(
    ("setting", "backends", "read_from"),
    [
        ("auto", [], "trident"),
        ("auto", ["storage"], "storage"),
        ("auto", ["storage", "storage"], "storage"),
        ("auto", ["storage", "other"], "trident"),
        ("mine", ["storage"], "mine"),
    ],
)
def test_the_record_counts_only_in_tridents_own_namespace(setting: str, backends: list[str], read_from: str) -> None:
    objects = [
        persistent_volume("pv", "file", provisioner=None),
        *(in_namespace(backend("u", "ontap-nas", f"tbe-{i}"), place) for i, place in enumerate(backends)),
    ]
    for namespace in ("trident", "storage", "other", "mine"):
        found = backing(*objects, trident_volume("pv", "block", namespace=namespace), trident=setting)
        assert found.protocol == ("block" if namespace == read_from else "file")


def test_what_trident_wrote_into_a_volume_that_it_provisioned_is_believed() -> None:
    objects = (persistent_volume("pv", "file"), trident_volume("pv", "block"))
    assert backing(*objects).protocol == "file"


@pytest.mark.parametrize(
    ("in_tree", "provisioner", "protocol"),
    [
        ("nfs", "netapp.io/trident", "file"),
        ("iscsi", "netapp.io/trident", "block"),
        ("nfs", "csi.trident.netapp.io", "file"),
        ("nfs", "nfs.example.com", "foreign"),
        ("iscsi", None, "foreign"),
    ],
)
def test_a_volume_of_old_trident_is_known_by_its_source(in_tree: str, provisioner: str | None, protocol: str) -> None:
    found = persistent_volume("pv", provisioner=provisioner)
    assert backing({**found, "spec": {in_tree: {}}}).protocol == protocol


@pytest.mark.parametrize(("written", "read"), [("smb", "smb"), ("SMB", "smb"), ("nfs", "nfs"), (None, None)])
def test_the_backend_of_a_bound_volume_says_whether_it_is_an_smb_share(written: str | None, read: str | None) -> None:
    config: Object = {"nasType": written} if written else {}
    objects = (persistent_volume("pv", "file", backend="u"), backend("u", "ontap-nas", **config))
    assert backing(*objects).nas_type == read
