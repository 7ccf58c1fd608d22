"""Which of Trident's backends a StorageClass allows, the protocols that its drivers speak, and what it creates."""

import pytest

from tests.build import ROX, RWO, RWX, Object, backend, storage_class
from tests.storage.asking import Objects, backing
from webhook.cluster.facts import BackendFacts, ClassFacts
from webhook.storage import trident_drivers
from webhook.storage.model import Protocol
from webhook.storage.trident_class import TridentClass, selects
from webhook.storage.trident_drivers import combined, protocol_of_driver, provisioned_protocol

NAS_1, NAS_2 = backend("u1", "ontap-nas", "nas1"), backend("u2", "ontap-nas", "nas2", nasType="smb")
SAN_1, ECO_1 = backend("u3", "ontap-san", "san1"), backend("u4", "ontap-san-economy", "eco1", sanType="", online=True)
FC_1, OFF_1 = backend("u5", "solidfire-san", "fc1", sanType="FCP"), backend("u6", "ontap-san", "off1", online=False)


def read(annotations: Object | None = None, **parameters: str) -> TridentClass:
    return TridentClass.of(ClassFacts.read(storage_class("sc", annotations=annotations, **parameters)))


def allowed(parameters: Object, *backends: Object, annotations: Object | None = None) -> str:
    """Return the names of the backends of which a pool may match."""
    found = read(annotations, **parameters)
    there = map(BackendFacts.read, backends or (NAS_1, SAN_1, ECO_1, FC_1, OFF_1))
    return " ".join(str(facts.backend_name) for facts in there if found.may_use(facts))


MATCHES: dict[str, tuple[Object, str]] = {
    "nothing": ({}, "nas1 san1 eco1 fc1"),
    "driver": ({"backendType": "ontap-nas"}, "nas1"),
    "driver in other letters": ({"backendType": "Ontap-NAS"}, ""),
    "SAN type, by default iSCSI": ({"sanType": "iSCSI"}, "san1 eco1"),
    "SAN type in other letters": ({"sanType": "fcp"}, "fc1"),
    "NAS type": ({"nasType": "nfs"}, "nas1"),
    "driver and pools of it": ({"backendType": "ontap-san", "storagePools": "san.*:.*"}, "san1"),
    "driver and pools of another": ({"backendType": "ontap-san", "storagePools": "nas1:.*"}, ""),
    "pools": ({"storagePools": "nas1:aggr1,aggr2;eco1:gold"}, "nas1 eco1"),
    "pools by a pattern": ({"storagePools": ".*1:.*"}, "nas1 san1 eco1 fc1"),
    "pools by a pattern of the whole name": ({"storagePools": "nas:.*"}, ""),
    "pools by a broken pattern": ({"storagePools": "(:.*"}, ""),
    "pools added to a driver": ({"backendType": "ontap-nas", "additionalStoragePools": "san1:.*"}, "nas1 san1"),
    "pools added, the old key": ({"backendType": "ontap-nas", "requiredStorage": "san1:.*"}, "nas1 san1"),
    "pools added to nothing": ({"additionalStoragePools": "san1:.*"}, "san1"),
    "pools added of a backend that is offline": ({"additionalStoragePools": "off1:.*"}, ""),
    "pools added to any": ({"media": "ssd", "additionalStoragePools": "fc1:.*"}, "nas1 san1 eco1 fc1"),
    "pools added to other pools": ({"storagePools": "eco1:.*", "additionalStoragePools": "san1:.*"}, "san1 eco1"),
    "pools excluded": ({"excludeStoragePools": "san1:.*"}, "nas1 eco1 fc1"),
    "some pools excluded": ({"excludeStoragePools": "san1:gold"}, "nas1 san1 eco1 fc1"),
    "excluded before added": ({"excludeStoragePools": "san1:.*", "additionalStoragePools": "san1:.*"}, ""),
}


@pytest.mark.parametrize(("parameters", "expected"), MATCHES.values(), ids=MATCHES)
def test_which_backends_match_and_none_that_is_offline(parameters: Object, expected: str) -> None:
    assert allowed(parameters) == expected


DRIVER: Object = {"backendType": "ontap-nas"}
ADDED: Object = {**DRIVER, "additionalStoragePools": "san1:.*"}
ANNOTATED: dict[str, tuple[Object, Object, str]] = {
    "pools": ({"additionalStoragePools": "san1:.*"}, DRIVER, "nas1 san1"),
    "other pools": ({"additionalStoragePools": "eco1:.*"}, ADDED, "nas1 eco1"),
    "no pools": ({"additionalStoragePools": ""}, ADDED, "nas1"),
    "other keys": ({"backendType": "ontap-san", "storagePools": "san1:.*"}, DRIVER, "nas1"),
}


@pytest.mark.parametrize(("annotations", "parameters", "expected"), ANNOTATED.values(), ids=ANNOTATED)
def test_which_annotations_override_parameters(annotations: Object, parameters: Object, expected: str) -> None:
    prefixed = {f"trident.netapp.io/{key}": value for key, value in annotations.items()}
    assert allowed(parameters, annotations=prefixed) == expected
    assert read({"trident.netapp.io/selector": "tier=gold"}, selector="tier=silver").selector == "tier=gold"


LABELS = {"tier": "gold", "creditpoints": "5000", "protection": "high-1"}
MATCHING = [
    *("tier=gold", "tier==gold", "tier = gold", "creditpoints=5000", "protection=high-1", "tier!=silver"),
    *("tier in (gold, silver)", "tier notin (silver,bronze)", "zone notin (a)", "tier", "!zone"),
    *("tier=gold;creditpoints=5000", " tier=gold ; !zone "),
]
OTHERS = [
    *("tier=silver", "zone=a", "tier!=gold", "zone!=a", "tier in (silver)", "zone in (a)", "tier notin (gold)"),
    *("zone", "!tier", "tier=gold; creditpoints=1", "tier=gold=x", "tier in gold", "", "tier=gold;"),
]


@pytest.mark.parametrize("selector", [*MATCHING, *OTHERS])
def test_the_operators_of_a_selector(selector: str) -> None:
    assert selects(selector, LABELS) is (selector in MATCHING)


GOLD, IRON = {"labels": {"tier": "gold"}}, {"labels": {"tier": "iron"}}
POOLS: dict[str, tuple[Object, str]] = {
    "of the backend": (GOLD, "b"),
    "of a virtual pool": ({"storage": [IRON, GOLD]}, "b"),
    "of another virtual pool": ({"storage": [IRON]}, ""),
    "of the backend, overridden in its pool": ({**GOLD, "storage": [IRON]}, ""),
    "of the backend, with virtual pools": ({**GOLD, "storage": [{"labels": {"zone": "x"}}]}, "b"),
    "of nothing": ({}, ""),
}


@pytest.mark.parametrize(("config", "expected"), POOLS.values(), ids=POOLS)
def test_a_selector_is_matched_against_the_labels_of_each_pool(config: Object, expected: str) -> None:
    assert allowed({"selector": "tier=gold"}, backend("u", "ontap-nas", "b", **config)) == expected


NOTHING = ("unknown", None, None)
COMMON: dict[str, tuple[Objects, tuple[str, str | None, str | None], str]] = {
    # backends; protocol, driver, NAS type; evidence
    "one": ((SAN_1,), ("block", "ontap-san", "nfs"), "backends san1"),
    "two of one family": ((SAN_1, ECO_1), ("block", None, "nfs"), "backends eco1 and san1"),
    "two of one driver": ((NAS_1, NAS_2), ("file", "ontap-nas", None), "backends nas1 and nas2"),
    "an SMB share": ((NAS_2,), ("file", "ontap-nas", "smb"), "backends nas2"),
    "both families": ((NAS_1, SAN_1), NOTHING, "mixed backends"),
    "an unknown driver among them": ((SAN_1, backend("u", "new-driver", "x")), NOTHING, "mixed backends"),
    "none": ((), NOTHING, "names no driver"),
}


@pytest.mark.parametrize(("backends", "expected", "evidence"), COMMON.values(), ids=COMMON)
def test_what_all_backends_of_a_class_have_in_common(
    backends: Objects, expected: tuple[str, str | None, str | None], evidence: str
) -> None:
    found = backing(storage_class("sc"), *backends, access_modes=(RWO,))
    assert (found.protocol, found.driver, found.nas_type) == expected
    assert found.evidence == f"StorageClass sc: {evidence}"


def test_additional_pools_open_a_class_to_the_drivers_of_their_backends() -> None:
    for added, protocol in ((SAN_1, "unknown"), (ECO_1, "file")):
        assert backing(storage_class("sc", **ADDED), NAS_1, added, access_modes=(RWO,)).protocol == protocol


RWOP = "ReadWriteOncePod"
ANY: Protocol = "unknown"
NAS = ["ontap-nas", "ontap-nas-flexgroup", "ontap-nas-economy", "azure-netapp-files", "google-cloud-netapp-volumes"]
SAN = ["ontap-san", "ontap-san-economy", "solidfire-san", "google-cloud-netapp-volumes-san"]


def test_every_driver_speaks_one_protocol_and_another_name_is_unknown() -> None:
    assert [set(NAS), set(SAN)] == [trident_drivers.NAS_DRIVERS, trident_drivers.SAN_DRIVERS]
    assert {protocol_of_driver(driver) for driver in NAS} == {"file"}
    assert {protocol_of_driver(driver) for driver in SAN} == {"block"}
    others = ("fake", "gcp-cvs", "ontap_nas", "Ontap-SAN", "", None)
    assert {protocol_of_driver(driver) for driver in others} == {"unknown"}


@pytest.mark.parametrize("access", [None, RWO, RWOP, ROX, RWX])
def test_the_protocol_of_a_new_volume(access: str | None) -> None:
    def made(mode: str) -> dict[str, str]:
        asked: tuple[Protocol, ...] = (ANY, "file", "block")
        return {protocol: provisioned_protocol(mode, access, protocol) for protocol in asked}

    shared = {ANY: "file", "file": "file", "block": "impossible"}
    assert made("Filesystem") == (shared if access == RWX else {ANY: ANY, "file": "file", "block": "block"})
    assert made("Block") == {ANY: "block", "file": "impossible", "block": "block"}


COMBINED: list[tuple[tuple[str, ...], str | None]] = [
    *(((), None), ((RWO,), RWO), ((RWOP, RWOP), RWOP), ((RWO, RWOP), RWO), ((RWOP, RWO), RWOP), ((RWO,) * 3, RWO)),
    *((pair, RWX) for pair in ((RWO, ROX), (RWX, RWO), (ROX, RWX), (RWOP, ROX), (RWX, RWOP), (RWO, RWO, ROX))),
]


@pytest.mark.parametrize(("modes", "expected"), COMBINED)
def test_several_access_modes_are_one_for_trident(modes: tuple[str, ...], expected: str | None) -> None:
    assert combined(modes) == expected
