"""Trust first, sign later: when a successor is made, when it signs, and which CAs are trusted meanwhile."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from certs import CA, CertificateError, Leaf, Lifetimes, Stored, renewed, rotate
from tests.certs import build
from tests.certs.build import DAY, HOUR, LIFETIMES, MINUTE, NAME, NAMES, NOW, SECOND, first

FIRST = first()
DUE = NOW + LIFETIMES.ca * 2 / 3
SHORT = Lifetimes(ca=20 * SECOND, leaf=5 * SECOND, trust_delay=2 * SECOND)
OLD = [FIRST.bundle(DUE)] * 3
"""What three webhooks trust before anything is due."""
MADE = rotate(FIRST, OLD, DUE, LIFETIMES)
NEW = [MADE.bundle(DUE)] * 3
PROMOTED = rotate(rotate(MADE, NEW, DUE, LIFETIMES), NEW, DUE + MINUTE, LIFETIMES)
assert FIRST.signing
assert MADE.next
SIGNING, NEXT = FIRST.signing, MADE.next
LEAF = NEXT.sign(NAMES, DAY, DUE)


def test_the_first_ca_signs_at_once_without_webhook_configurations() -> None:
    assert Stored(SIGNING) == FIRST
    assert FIRST.bundle(NOW) == SIGNING.certificate


@pytest.mark.parametrize("lifetimes", [LIFETIMES, SHORT], ids=["a year", "20 seconds"])
def test_nothing_changes_before_two_thirds_of_the_lifetime(lifetimes: Lifetimes) -> None:
    stored = first(NOW, lifetimes)
    late = NOW + lifetimes.ca * 2 / 3
    assert rotate(stored, [stored.bundle(NOW)], late - SECOND, lifetimes) == stored
    assert rotate(stored, [stored.bundle(NOW)], late, lifetimes) != stored


def test_a_successor_that_signs_nothing_yet_is_made_and_trusted_at_two_thirds() -> None:
    assert Stored(SIGNING, NEXT) == MADE
    assert MADE.bundle(DUE) == SIGNING.certificate + NEXT.certificate


UNTRUSTED = {
    "by none": OLD,
    "by two of three": [*NEW[:2], *OLD[:1]],
    "by one that trusts nothing": [*NEW, b""],
    "by one whose bundle is cut short": [*NEW, NEW[0][:-100]],
}


@pytest.mark.parametrize("configured", UNTRUSTED.values(), ids=UNTRUSTED)
def test_a_successor_does_not_sign_before_every_webhook_trusts_it(configured: list[bytes]) -> None:
    assert rotate(MADE, configured, DUE + DAY, LIFETIMES) == MADE


def test_a_successor_signs_when_every_webhook_has_trusted_it_for_the_trust_delay() -> None:
    seen = rotate(MADE, NEW, DUE + MINUTE, LIFETIMES)
    assert seen == replace(MADE, next_trusted_since=DUE + MINUTE)
    assert rotate(seen, NEW, DUE + 2 * MINUTE - SECOND, LIFETIMES) == seen
    assert rotate(seen, NEW, DUE + 2 * MINUTE, LIFETIMES) == Stored(NEXT, None, SIGNING.certificate)


def test_the_old_ca_is_trusted_until_it_expires() -> None:
    end = SIGNING.not_after
    assert PROMOTED.bundle(end - SECOND) == NEXT.certificate + SIGNING.certificate
    assert PROMOTED.bundle(end) == NEXT.certificate
    assert rotate(PROMOTED, NEW, end, LIFETIMES).trusted == b""


def test_the_trust_delay_starts_again_when_a_webhook_no_longer_trusts_the_successor() -> None:
    seen = rotate(MADE, NEW, DUE, LIFETIMES)
    lost = rotate(seen, [*NEW[:2], *OLD[:1]], DUE + 50 * SECOND, LIFETIMES)
    assert lost.next_trusted_since is None
    again = rotate(lost, NEW, DUE + 70 * SECOND, LIFETIMES)
    assert rotate(again, NEW, DUE + 129 * SECOND, LIFETIMES).signing == SIGNING
    assert rotate(again, NEW, DUE + 130 * SECOND, LIFETIMES).signing == NEXT


AT_ONCE = {
    "without a trust delay": (NEW, DUE, replace(LIFETIMES, trust_delay=timedelta(0))),
    "when the webhook configurations are deleted": ([], DUE, LIFETIMES),
    "when the old CA has expired, though nobody trusts it": (OLD, SIGNING.not_after, LIFETIMES),
}


@pytest.mark.parametrize(("configured", "now", "lifetimes"), AT_ONCE.values(), ids=AT_ONCE)
def test_a_successor_signs_at_once(configured: list[bytes], now: datetime, lifetimes: Lifetimes) -> None:
    assert rotate(MADE, configured, now, lifetimes).signing == NEXT


CASES = {
    "nothing": (None, [], NOW),
    "nothing, but something is trusted": (None, OLD, NOW),
    "one that is due": (FIRST, OLD, DUE),
    "one that is due, without webhook configurations": (FIRST, [], DUE),
    "one that has expired": (FIRST, OLD, NOW + 2 * LIFETIMES.ca),
    "one of the future": (FIRST, OLD, NOW - DAY),
    "a successor": (MADE, OLD, DUE),
    "a trusted successor": (MADE, NEW, DUE),
    "a successor trusted long enough": (replace(MADE, next_trusted_since=DUE), NEW, DUE + MINUTE),
    "a successor that is due itself": (replace(MADE, next_trusted_since=DUE), NEW, DUE + LIFETIMES.ca * 3 / 4),
    "a successor that has expired": (replace(MADE, next_trusted_since=DUE), NEW, DUE + 2 * LIFETIMES.ca),
    "a trust delay that begins in the future": (replace(MADE, next_trusted_since=DUE + HOUR), NEW, DUE),
}


@pytest.mark.parametrize(("stored", "configured", "now"), CASES.values(), ids=CASES)
def test_a_second_rotation_changes_nothing(stored: Stored | None, configured: list[bytes], now: datetime) -> None:
    once = rotate(stored, configured, now, LIFETIMES)
    assert rotate(once, configured, now, LIFETIMES) == once


def test_replicas_that_both_made_a_successor_follow_the_last_write() -> None:
    others = rotate(FIRST, OLD, DUE, LIFETIMES)
    assert others != MADE
    read = Stored.from_data(others.to_data())
    assert rotate(read, NEW[:2], DUE, LIFETIMES) == others


@pytest.mark.parametrize("stored", [FIRST, MADE, PROMOTED, replace(MADE, next_trusted_since=DUE, signing=None)])
def test_data_of_the_secret_can_be_read_again_and_shows_no_key(stored: Stored) -> None:
    assert Stored.from_data(stored.to_data()) == stored
    assert "PRIVATE" not in repr(stored)


def changed(**data: bytes | None) -> dict[str, bytes]:
    """Return the data of a Secret with entries replaced, or left out; ``_`` stands for a dot."""
    names = {name.replace("_", ".", 1): content for name, content in data.items()}
    return {name: content for name, content in {**MADE.to_data(), **names}.items() if content is not None}


INVALID = {
    "an empty Secret": ({}, "there is neither signing.crt nor next.crt"),
    "a certificate without its key": (changed(signing_key=None), "signing: the key is not a PEM private key"),
    "a key without its certificate": (changed(next_crt=None), "next: one certificate in PEM is needed, there are 0"),
    "a leaf": (changed(next_crt=LEAF.chain, next_key=LEAF.key), "next: the certificate is not that of a CA"),
    "words for a time": (changed(**{"next_trusted-since": b"yesterday"}), "next.trusted-since: not a time"),
    "bytes for a time": (changed(**{"next_trusted-since": b"\xff"}), "next.trusted-since: not a time"),
    "a time without its zone": (changed(**{"next_trusted-since": b"2027-03-01"}), "next.trusted-since: no time zone"),
}


@pytest.mark.parametrize(("data", "reason"), INVALID.values(), ids=INVALID)
def test_an_invalid_secret_says_why(data: dict[str, bytes], reason: str) -> None:
    with pytest.raises(CertificateError, match=reason):
        Stored.from_data(data)


def test_garbage_among_the_trusted_certificates_is_ignored() -> None:
    stored = Stored.from_data({**PROMOTED.to_data(), "trusted.crt": b"garbage\n" + PROMOTED.trusted})
    assert rotate(stored, NEW, DUE + MINUTE, LIFETIMES) == PROMOTED


IMPOSSIBLE = {
    "a negative lifetime": ({"leaf": -SECOND}, "at least 3 seconds"),
    "a lifetime of a second": ({"ca": SECOND, "trust_delay": timedelta(0)}, "at least 3 seconds"),
    "a negative trust delay": ({"trust_delay": -SECOND}, "less than a third"),
    "a trust delay of a third": ({"ca": HOUR, "trust_delay": 20 * MINUTE}, "less than a third"),
}


@pytest.mark.parametrize(("lifetimes", "reason"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_lifetimes_are_rejected(lifetimes: dict[str, timedelta], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Lifetimes(**lifetimes)


def leaf_at(stored: Stored, now: datetime = NOW, leaf: Leaf | None = None) -> Leaf:
    made = renewed(leaf, stored, NAMES, now, LIFETIMES)
    assert made
    return made


def test_a_replica_without_a_leaf_gets_one_of_the_signing_ca() -> None:
    leaf = leaf_at(MADE, DUE)
    assert build.why_not_trusted(FIRST.bundle(DUE), leaf, NAME, DUE) is None
    assert build.certificate(leaf).not_valid_after_utc == DUE + LIFETIMES.leaf


def test_a_leaf_is_renewed_at_two_thirds_of_its_lifetime() -> None:
    leaf, late = leaf_at(FIRST), NOW + LIFETIMES.leaf * 2 / 3
    assert leaf_at(FIRST, late - SECOND, leaf) == leaf
    assert build.certificate(leaf_at(FIRST, late, leaf)).not_valid_after_utc == late + LIFETIMES.leaf


def test_a_leaf_is_renewed_when_another_ca_signs() -> None:
    leaf = leaf_at(FIRST, DUE)
    assert leaf_at(PROMOTED, DUE + MINUTE, leaf) != leaf


def test_a_leaf_that_expires_with_its_ca_is_kept() -> None:
    leaf = leaf_at(FIRST, SIGNING.not_after - HOUR)
    assert leaf_at(FIRST, SIGNING.not_after - MINUTE, leaf) == leaf


@pytest.mark.parametrize("later", [-2 * HOUR, 8 * DAY], ids=["not valid yet", "expired"])
def test_a_leaf_that_is_not_valid_after_a_clock_jump_is_replaced(later: timedelta) -> None:
    stored = first(NOW - DAY)
    leaf = leaf_at(stored, NOW + later, leaf_at(stored))
    assert build.why_not_trusted(stored.bundle(NOW), leaf, NAME, NOW + later) is None


UNABLE = {
    "nothing signs": (replace(MADE, signing=None), DUE),
    "the CA has expired": (FIRST, NOW + 2 * LIFETIMES.ca),
    "the CA is not valid yet": (FIRST, NOW - DAY),
}


@pytest.mark.parametrize(("stored", "now"), UNABLE.values(), ids=UNABLE)
def test_a_leaf_is_kept_where_no_ca_can_sign(stored: Stored, now: datetime) -> None:
    leaf = CA.make(DAY, NOW).sign(NAMES, DAY, NOW)
    assert renewed(None, stored, NAMES, now, LIFETIMES) is None
    assert renewed(leaf, stored, NAMES, now, LIFETIMES) == leaf
