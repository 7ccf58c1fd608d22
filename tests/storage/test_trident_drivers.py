"""Trident's drivers, the protocols they speak, and what goes together."""

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
FS, BLOCK = "Filesystem", "Block"
ANY: Protocol = "unknown"
IMPOSSIBLE = "impossible"

DRIVERS = [
    ("ontap-nas", "file"),
    ("ontap-nas-flexgroup", "file"),
    ("ontap-nas-economy", "file"),
    ("azure-netapp-files", "file"),
    ("google-cloud-netapp-volumes", "file"),
    ("ontap-san", "block"),
    ("ontap-san-economy", "block"),
    ("solidfire-san", "block"),
    ("google-cloud-netapp-volumes-san", "block"),
    ("fake", "unknown"),
    ("gcp-cvs", "unknown"),
    ("ontap_nas", "unknown"),
    ("Ontap-SAN", "unknown"),
    ("", "unknown"),
    (None, "unknown"),
]


@pytest.mark.parametrize(("driver", "protocol"), DRIVERS)
def test_the_protocol_of_a_driver(driver: str | None, protocol: str) -> None:
    assert protocol_of_driver(driver) == protocol


def test_no_driver_is_of_both_families_and_every_one_stands_above() -> None:
    assert NAS_DRIVERS.isdisjoint(SAN_DRIVERS)
    assert {name for name, protocol in DRIVERS if protocol != "unknown"} == NAS_DRIVERS | SAN_DRIVERS


WORDS = [("file", "file"), ("block", "block"), ("blockOnFile", "block"), ("", ANY), ("FILE", ANY), (None, ANY)]


@pytest.mark.parametrize(("word", "protocol"), WORDS)
def test_tridents_word_for_a_protocol(word: str | None, protocol: str) -> None:
    assert protocol_of_word(word) == protocol


GET_PROTOCOL: list[tuple[str, str | None, dict[Protocol, str]]] = [
    # volume mode, access mode, what comes of asking for any, for file, for block
    (FS, None, {ANY: ANY, "file": "file", "block": "block"}),
    (FS, RWO, {ANY: ANY, "file": "file", "block": "block"}),
    (FS, RWOP, {ANY: ANY, "file": "file", "block": "block"}),
    (FS, ROX, {ANY: ANY, "file": "file", "block": "block"}),
    (FS, RWX, {ANY: "file", "file": "file", "block": IMPOSSIBLE}),
    (BLOCK, None, {ANY: "block", "file": IMPOSSIBLE, "block": "block"}),
    (BLOCK, RWO, {ANY: "block", "file": IMPOSSIBLE, "block": "block"}),
    (BLOCK, RWOP, {ANY: "block", "file": IMPOSSIBLE, "block": "block"}),
    (BLOCK, ROX, {ANY: "block", "file": IMPOSSIBLE, "block": "block"}),
    (BLOCK, RWX, {ANY: "block", "file": IMPOSSIBLE, "block": "block"}),
]
ROWS = [(mode, access, asked, made) for mode, access, row in GET_PROTOCOL for asked, made in row.items()]


@pytest.mark.parametrize(("mode", "access", "asked", "made"), ROWS, ids=["-".join(map(str, row[:3])) for row in ROWS])
def test_over_which_protocol_a_new_volume_is_made(mode: str, access: str | None, asked: Protocol, made: str) -> None:
    assert provisioned_protocol(mode, access, asked) == made


def test_the_table_is_whole() -> None:
    assert len(ROWS) == 2 * 5 * 3


COMBINED: dict[frozenset[str], str] = {
    frozenset({RWO, ROX}): RWX,
    frozenset({RWO, RWX}): RWX,
    frozenset({ROX, RWX}): RWX,
    frozenset({RWOP, ROX}): RWX,
    frozenset({RWOP, RWX}): RWX,
}
PAIRS = list(itertools.product((RWO, ROX, RWX, RWOP), repeat=2))


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_two_access_modes_are_taken_for_one(pair: tuple[str, str]) -> None:
    """Those that no entry combines stay as the first."""
    assert combined(pair) == COMBINED.get(frozenset(pair), pair[0])


MORE = [
    ((), None),
    ((RWO,), RWO),
    ((ROX,), ROX),
    ((RWX,), RWX),
    ((RWO, RWO, RWO), RWO),
    ((RWO, RWO, ROX), RWX),
    ((RWO, ROX, RWX), RWX),
]


@pytest.mark.parametrize(("modes", "expected"), MORE, ids=["+".join(row[0]) or "none" for row in MORE])
def test_none_or_more_access_modes(modes: tuple[str, ...], expected: str | None) -> None:
    assert combined(modes) == expected
