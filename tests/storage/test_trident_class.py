"""Which of Trident's backends a StorageClass allows."""

from typing import Any

import pytest

from tests.build import RWO, Object, backend, storage_class
from webhook.cluster import Snapshot
from webhook.cluster.facts import BackendFacts, ClassFacts
from webhook.storage.model import Backing, ClaimRequest
from webhook.storage.origin import Origins
from webhook.storage.trident_class import TridentClass, selects

NAS, SAN, ECONOMY = ("nas1", "ontap-nas"), ("san1", "ontap-san"), ("eco1", "ontap-san-economy")
ALL = (NAS, SAN, ECONOMY)


def read(annotations: Object | None = None, **parameters: str) -> TridentClass:
    return TridentClass.of(ClassFacts.read(storage_class("sc", annotations=annotations, **parameters)))


def allowed(
    annotations: Object | None = None, backends: tuple[Object, ...] | None = None, **parameters: str
) -> list[str]:
    """Return the names of the backends of which a pool may match."""
    there = backends or tuple(backend(f"u-{name}", driver, name) for name, driver in ALL)
    found = read(annotations, **parameters)
    return [str(facts.backend_name) for facts in map(BackendFacts.read, there) if found.may_use(facts)]


MATCHES: list[tuple[str, Object, list[str]]] = [
    ("nothing said", {}, ["nas1", "san1", "eco1"]),
    ("driver", {"backendType": "ontap-nas"}, ["nas1"]),
    ("driver of the automatic backends of FSx", {"storageDriverName": "ontap-san"}, ["san1"]),
    ("driver in other letters", {"backendType": "Ontap-NAS"}, []),
    ("driver that is none", {"backendType": "ontap_nas"}, []),
    ("SAN type", {"sanType": "iscsi"}, ["san1", "eco1"]),
    ("SAN type in other letters", {"sanType": "iSCSI"}, ["san1", "eco1"]),
    ("another SAN type", {"sanType": "nvme"}, []),
    ("NAS type", {"nasType": "nfs"}, ["nas1"]),
    ("another NAS type", {"nasType": "smb"}, []),
    ("driver and SAN type", {"backendType": "ontap-san", "sanType": "iscsi"}, ["san1"]),
    ("driver and pools of it", {"backendType": "ontap-san", "storagePools": "san.*:.*"}, ["san1"]),
    ("driver and pools of another", {"backendType": "ontap-san", "storagePools": "nas1:.*"}, []),
    ("pools", {"storagePools": "nas1:aggr1,aggr2"}, ["nas1"]),
    ("pools of two", {"storagePools": "nas1:.*;eco1:gold"}, ["nas1", "eco1"]),
    ("pools by a pattern", {"storagePools": ".*1:.*"}, ["nas1", "san1", "eco1"]),
    ("pools by a pattern of the whole name", {"storagePools": "nas:.*"}, []),
    ("pools by a broken pattern", {"storagePools": "(:.*"}, []),
    ("pools added to a driver", {"backendType": "ontap-nas", "additionalStoragePools": "san1:.*"}, ["nas1", "san1"]),
    ("pools added, the old word", {"backendType": "ontap-nas", "requiredStorage": "san1:.*"}, ["nas1", "san1"]),
    ("pools added to nothing", {"additionalStoragePools": "san1:.*"}, ["san1"]),
    ("pools excluded", {"excludeStoragePools": "san1:.*"}, ["nas1", "eco1"]),
    ("some pools excluded", {"excludeStoragePools": "san1:gold"}, ["nas1", "san1", "eco1"]),
    ("excluded goes before added", {"excludeStoragePools": "san1:.*", "additionalStoragePools": "san1:.*"}, []),
    ("excluded goes before the driver", {"excludeStoragePools": ".*:.*", "backendType": "ontap-nas"}, []),
    ("labels that nothing has", {"selector": "tier=gold"}, []),
    ("with Trident's prefix", {"trident.netapp.io/backendType": "ontap-nas"}, ["nas1"]),
    ("pools with Trident's prefix", {"trident.netapp.io/storagePools": "eco1:.*"}, ["eco1"]),
    (
        "what says nothing about drivers",
        {"fsType": "ext4", "media": "ssd", "snapshots": "true"},
        ["nas1", "san1", "eco1"],
    ),
]


@pytest.mark.parametrize(("parameters", "expected"), [row[1:] for row in MATCHES], ids=[row[0] for row in MATCHES])
def test_which_backends_match(parameters: Object, expected: list[str]) -> None:
    assert allowed(**parameters) == expected


ANNOTATED: list[tuple[str, Object, Object, list[str]]] = [
    ("pools", {"additionalStoragePools": "san1:.*"}, {"backendType": "ontap-nas"}, ["nas1", "san1"]),
    (
        "pools instead of the parameter's",
        {"additionalStoragePools": "eco1:.*"},
        {"backendType": "ontap-nas", "additionalStoragePools": "san1:.*"},
        ["nas1", "eco1"],
    ),
    (
        "no pools instead of the parameter's",
        {"additionalStoragePools": ""},
        {"backendType": "ontap-nas", "additionalStoragePools": "san1:.*"},
        ["nas1"],
    ),
    ("another key", {"backendType": "ontap-san", "storagePools": "san1:.*"}, {"backendType": "ontap-nas"}, ["nas1"]),
]


@pytest.mark.parametrize(
    ("annotations", "parameters", "expected"), [row[1:] for row in ANNOTATED], ids=[row[0] for row in ANNOTATED]
)
def test_annotations_override_selector_and_additional_pools_alone(
    annotations: Object, parameters: Object, expected: list[str]
) -> None:
    prefixed = {f"trident.netapp.io/{key}": value for key, value in annotations.items()}
    assert allowed(prefixed, **parameters) == expected


def test_a_selector_is_overridden_by_its_annotation() -> None:
    assert read({"trident.netapp.io/selector": "tier=gold"}, selector="tier=silver").selector == "tier=gold"


@pytest.mark.parametrize(("online", "expected"), [(None, ["b"]), (True, ["b"]), (False, [])])
@pytest.mark.parametrize("parameters", [{}, {"additionalStoragePools": "b:.*"}, {"backendType": "ontap-san"}], ids=repr)
def test_a_backend_that_is_offline_gives_no_pool(online: bool | None, expected: list[str], parameters: Object) -> None:
    assert allowed(None, (backend("u", "ontap-san", "b", online=online),), **parameters) == expected


SAN_TYPES = [(None, "iscsi"), ("", "iscsi"), ("iscsi", "iscsi"), ("nvme", "nvme"), ("FCP", "fcp")]


@pytest.mark.parametrize(("written", "is_of"), SAN_TYPES)
@pytest.mark.parametrize("asked", ["iscsi", "nvme", "fcp"])
def test_a_san_backend_without_a_type_is_of_iscsi(written: str | None, is_of: str, asked: str) -> None:
    config: Object = {} if written is None else {"sanType": written}
    assert bool(allowed(None, (backend("u", "ontap-san", "b", **config),), sanType=asked)) is (asked == is_of)


LABELS = {"tier": "gold", "creditpoints": "5000", "protection": "high-1"}
SELECTORS = [
    ("tier=gold", True),
    ("tier==gold", True),
    ("tier = gold", True),
    ("tier=silver", False),
    ("zone=a", False),
    ("tier!=gold", False),
    ("tier!=silver", True),
    ("zone!=a", False),
    ("tier in (gold, silver)", True),
    ("tier in (silver)", False),
    ("zone in (a)", False),
    ("tier notin (silver,bronze)", True),
    ("tier notin (gold)", False),
    ("tier", True),
    ("zone", False),
    ("!zone", True),
    ("!tier", False),
    ("creditpoints=5000", True),
    ("protection=high-1", True),
    ("tier=gold;creditpoints=5000", True),
    ("tier=gold; creditpoints=1", False),
    (" tier=gold ; !zone ", True),
    ("tier=gold=x", False),
    ("tier in gold", False),
    ("", False),
    ("tier=gold;", False),
]


@pytest.mark.parametrize(("selector", "holds"), SELECTORS)
def test_the_operators_of_a_selector(selector: str, holds: bool) -> None:
    assert selects(selector, LABELS) is holds


POOLS: list[tuple[str, Object, bool]] = [
    ("of the backend", {"labels": {"tier": "gold"}}, True),
    ("of a virtual pool", {"storage": [{"labels": {"tier": "iron"}}, {"labels": {"tier": "gold"}}]}, True),
    ("of another virtual pool", {"storage": [{"labels": {"tier": "iron"}}]}, False),
    (
        "of the backend, overridden in its pool",
        {"labels": {"tier": "gold"}, "storage": [{"labels": {"tier": "x"}}]},
        False,
    ),
    ("of the backend, with virtual pools", {"labels": {"tier": "gold"}, "storage": [{"labels": {"zone": "x"}}]}, True),
    ("of nothing", {}, False),
]


@pytest.mark.parametrize(("config", "matches"), [row[1:] for row in POOLS], ids=[row[0] for row in POOLS])
def test_a_selector_is_matched_against_the_labels_of_each_pool(config: Object, matches: bool) -> None:
    found = allowed(None, (backend("u", "ontap-nas", "b", **config),), selector="tier=gold")
    assert found == (["b"] if matches else [])


def backing(*backends: Object, **parameters: Any) -> Backing:
    cluster = Snapshot([storage_class("sc", **parameters), *backends])
    return Origins(cluster, "trident").backing_of(ClaimRequest((RWO,), "Filesystem", "sc"))


NAS_1, NAS_2 = backend("u1", "ontap-nas", "nas1"), backend("u2", "ontap-nas", "nas2", nasType="smb")
SAN_1, ECO_1 = backend("u3", "ontap-san", "san1"), backend("u4", "ontap-san-economy", "eco1")
OFFLINE = backend("u5", "ontap-san", "off1", online=False)
COMMON: list[tuple[str, tuple[Object, ...], tuple[str, str | None, str | None]]] = [
    # backends; protocol, driver, NAS type
    ("one", (SAN_1,), ("block", "ontap-san", "nfs")),
    ("two of one family", (SAN_1, ECO_1), ("block", None, "nfs")),
    ("two of one driver", (NAS_1, NAS_2), ("file", "ontap-nas", None)),
    ("an SMB share", (NAS_2,), ("file", "ontap-nas", "smb")),
    ("both families", (NAS_1, SAN_1), ("unknown", None, None)),
    ("one of them offline", (NAS_1, OFFLINE), ("file", "ontap-nas", "nfs")),
    ("an unknown driver among them", (SAN_1, backend("u", "new-driver", "x")), ("unknown", None, None)),
    ("none", (), ("unknown", None, None)),
]


@pytest.mark.parametrize(("backends", "expected"), [row[1:] for row in COMMON], ids=[row[0] for row in COMMON])
def test_what_all_backends_of_a_class_have_in_common(
    backends: tuple[Object, ...], expected: tuple[str, str | None, str | None]
) -> None:
    found = backing(*backends)
    protocol, driver, nas_type = expected
    assert (found.protocol, found.driver) == (protocol, driver)
    assert found.nas_type == nas_type or protocol == "block"


def test_the_evidence_names_the_backends() -> None:
    assert backing(SAN_1, ECO_1).evidence == "StorageClass sc: backends eco1 and san1"


def test_pools_that_are_added_open_a_class_to_their_backends_drivers() -> None:
    adding = {"backendType": "ontap-nas", "additionalStoragePools": "san1:.*"}
    assert backing(NAS_1, SAN_1, **adding).protocol == "unknown"
    assert backing(NAS_1, ECO_1, **adding).protocol == "file"


def test_backends_that_cannot_be_read_leave_what_the_class_itself_says() -> None:
    assert backing(backendType="ontap-san").protocol == "block"
    assert backing(selector="tier=gold").protocol == "unknown"
    assert backing(backendType="ontap-san", additionalStoragePools="nas1:.*").protocol == "unknown"


def test_what_a_pool_must_offer_lets_other_pools_in_beside_the_additional_ones() -> None:
    assert allowed(media="ssd", additionalStoragePools="san1:.*") == ["nas1", "san1", "eco1"]


def test_a_label_that_a_pool_lacks_is_not_in_a_set() -> None:
    assert selects("zone notin (a)", {"tier": "gold"})
