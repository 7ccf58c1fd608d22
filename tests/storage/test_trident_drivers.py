"""Trident's drivers, the protocols they speak, and the combinations it creates."""

import itertools

import pytest

from webhook.storage.model import Protocol
from webhook.storage.trident_drivers import (
    NAS_DRIVERS,
    SAN_DRIVERS,
    combined,
    protocol_of_driver,
    protocol_of_word,
    provisioned_protocol,
)

RWO, ROX, RWX, RWOP = "ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"
ANY: Protocol = "unknown"
NAS = ["ontap-nas", "ontap-nas-flexgroup", "ontap-nas-economy", "azure-netapp-files", "google-cloud-netapp-volumes"]
SAN = ["ontap-san", "ontap-san-economy", "solidfire-san", "google-cloud-netapp-volumes-san"]


def test_every_driver_speaks_one_protocol_and_another_name_is_unknown() -> None:
    assert [set(NAS), set(SAN)] == [set(NAS_DRIVERS), set(SAN_DRIVERS)]
    assert {protocol_of_driver(driver) for driver in NAS} == {"file"}
    assert {protocol_of_driver(driver) for driver in SAN} == {"block"}
    others = ("fake", "gcp-cvs", "ontap_nas", "Ontap-SAN", "", None)
    assert {protocol_of_driver(driver) for driver in others} == {"unknown"}


WORDS = [("file", "file"), ("block", "block"), ("blockOnFile", "block"), ("", ANY), ("FILE", ANY), (None, ANY)]


@pytest.mark.parametrize(("word", "protocol"), WORDS)
def test_the_name_of_a_protocol_in_attributes_and_annotations(word: str | None, protocol: str) -> None:
    assert protocol_of_word(word) == protocol


@pytest.mark.parametrize("access", [None, RWO, RWOP, ROX, RWX])
def test_the_protocol_of_a_new_volume(access: str | None) -> None:
    def made(mode: str) -> dict[str, str]:
        asked: tuple[Protocol, ...] = (ANY, "file", "block")
        return {protocol: provisioned_protocol(mode, access, protocol) for protocol in asked}

    shared = {ANY: "file", "file": "file", "block": "impossible"}
    assert made("Filesystem") == (shared if access == RWX else {ANY: ANY, "file": "file", "block": "block"})
    assert made("Block") == {ANY: "block", "file": "impossible", "block": "block"}


COMBINED = {frozenset(pair) for pair in ((RWO, ROX), (RWO, RWX), (ROX, RWX), (RWOP, ROX), (RWOP, RWX))}


@pytest.mark.parametrize("pair", [*itertools.product((RWO, ROX, RWX, RWOP), repeat=2)], ids="+".join)
def test_of_two_access_modes_the_first_counts_unless_they_combine_to_read_write_many(pair: tuple[str, str]) -> None:
    assert combined(pair) == (RWX if frozenset(pair) in COMBINED else pair[0])


def test_none_one_or_more_than_two_access_modes_combine_alike() -> None:
    assert [combined(modes) for modes in ((), (RWO,), (RWO, RWO, RWO))] == [None, RWO, RWO]
    assert [combined(modes) for modes in ((RWO, RWO, ROX), (RWO, ROX, RWX))] == [RWX, RWX]
