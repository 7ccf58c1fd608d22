"""Trust first, sign later: when a successor is made, when it signs, and what is trusted meanwhile."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from certs import CA, CertificateError, Leaf, Lifetimes, Stored, renewed, rotate
from tests.certs.build import (
    DAY,
    HOUR,
    LIFETIMES,
    MINUTE,
    NAME,
    NAMES,
    NOW,
    SECOND,
    certificate,
    first,
    why_not_trusted,
)

FIRST = first()
DUE = NOW + LIFETIMES.ca * 2 / 3
SHORT = Lifetimes(ca=20 * SECOND, leaf=5 * SECOND, trust_delay=2 * SECOND)
OLD = [FIRST.bundle(DUE)] * 3
"""What three webhooks trust before anything is due."""


def successor() -> Stored:
    """Return what is stored once a successor was made."""
    return rotate(FIRST, OLD, DUE, LIFETIMES)


MADE = successor()
assert MADE.next
NEW = [MADE.bundle(DUE)] * 3
LEAF = MADE.next.sign(NAMES, DAY, DUE)


def test_the_first_ca_signs_at_once_where_nothing_is_registered() -> None:
    assert FIRST.signing
    assert FIRST.next is None
    assert FIRST.bundle(NOW) == FIRST.signing.certificate


@pytest.mark.parametrize("lifetimes", [LIFETIMES, SHORT], ids=["a year", "20 seconds"])
def test_before_two_thirds_of_its_lifetime_nothing_changes(lifetimes: Lifetimes) -> None:
    stored = first(NOW, lifetimes)
    late = NOW + lifetimes.ca * 2 / 3
    assert rotate(stored, [stored.bundle(NOW)], late - SECOND, lifetimes) == stored
    assert rotate(stored, [stored.bundle(NOW)], late, lifetimes) != stored


def test_at_two_thirds_a_successor_is_made_that_signs_nothing_yet() -> None:
    assert MADE.signing == FIRST.signing
    assert (MADE.next, MADE.next_trusted_since) != (None, DUE)


def test_the_bundle_then_holds_both() -> None:
    assert FIRST.signing
    assert MADE.next
    assert MADE.bundle(DUE) == FIRST.signing.certificate + MADE.next.certificate


UNTRUSTED = {
    "by none": OLD,
    "by two of three": [*NEW[:2], *OLD[:1]],
    "by one that trusts nothing": [*NEW, b""],
    "by one whose bundle is cut short": [*NEW, NEW[0][:-100]],
}


@pytest.mark.parametrize("configured", UNTRUSTED.values(), ids=UNTRUSTED)
def test_it_does_not_sign_before_every_webhook_trusts_it(configured: list[bytes]) -> None:
    assert rotate(MADE, configured, DUE + DAY, LIFETIMES) == MADE


def test_it_signs_when_every_webhook_has_trusted_it_for_long_enough() -> None:
    seen = rotate(MADE, NEW, DUE + MINUTE, LIFETIMES)
    assert seen == replace(MADE, next_trusted_since=DUE + MINUTE)
    assert rotate(seen, NEW, DUE + 2 * MINUTE - SECOND, LIFETIMES) == seen
    signs = rotate(seen, NEW, DUE + 2 * MINUTE, LIFETIMES)
    assert (signs.signing, signs.next, signs.next_trusted_since) == (MADE.next, None, None)


def promoted() -> Stored:
    """Return what is stored once the successor signs."""
    return rotate(rotate(MADE, NEW, DUE, LIFETIMES), NEW, DUE + MINUTE, LIFETIMES)


def test_the_old_one_is_trusted_until_it_ends() -> None:
    assert FIRST.signing
    assert MADE.next
    end = FIRST.signing.not_after
    assert promoted().bundle(end - SECOND) == MADE.next.certificate + FIRST.signing.certificate
    assert promoted().bundle(end) == MADE.next.certificate
    assert rotate(promoted(), NEW, end, LIFETIMES).trusted == b""


def test_a_webhook_that_ceases_to_trust_it_starts_the_count_again() -> None:
    seen = rotate(MADE, NEW, DUE, LIFETIMES)
    lost = rotate(seen, [*NEW[:2], *OLD[:1]], DUE + 50 * SECOND, LIFETIMES)
    assert lost.next_trusted_since is None
    again = rotate(lost, NEW, DUE + 70 * SECOND, LIFETIMES)
    assert rotate(again, NEW, DUE + 129 * SECOND, LIFETIMES).signing == FIRST.signing
    assert rotate(again, NEW, DUE + 130 * SECOND, LIFETIMES).signing == MADE.next


def test_without_a_time_to_settle_it_signs_as_soon_as_it_is_trusted() -> None:
    at_once = replace(LIFETIMES, trust_delay=timedelta(0))
    assert rotate(MADE, NEW, DUE, at_once).signing == MADE.next


def test_where_the_webhook_configurations_are_gone_it_signs_at_once() -> None:
    assert rotate(MADE, [], DUE, LIFETIMES).signing == MADE.next
    assert rotate(FIRST, [], DUE, LIFETIMES).signing not in (None, FIRST.signing)


def test_a_successor_that_nobody_trusted_in_time_signs_once_the_old_one_has_ended_since_nothing_is_lost_by_it() -> None:
    assert FIRST.signing
    late = rotate(MADE, OLD, FIRST.signing.not_after, LIFETIMES)
    assert late.signing == MADE.next


CASES = {
    "nothing": (None, [], NOW),
    "nothing, but something is trusted": (None, OLD, NOW),
    "a new one": (FIRST, [], NOW),
    "one that is due": (FIRST, OLD, DUE),
    "one that is due, with nothing registered": (FIRST, [], DUE),
    "one that has ended": (FIRST, OLD, NOW + 2 * LIFETIMES.ca),
    "one of the future": (FIRST, OLD, NOW - DAY),
    "a successor": (MADE, OLD, DUE),
    "a trusted successor": (MADE, NEW, DUE),
    "a settled successor": (replace(MADE, next_trusted_since=DUE), NEW, DUE + MINUTE),
    "a successor that is due itself": (replace(MADE, next_trusted_since=DUE), NEW, DUE + LIFETIMES.ca * 3 / 4),
    "a successor that has ended": (replace(MADE, next_trusted_since=DUE), NEW, DUE + 2 * LIFETIMES.ca),
    "a count from the future": (replace(MADE, next_trusted_since=DUE + HOUR), NEW, DUE),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_second_time_changes_nothing(case: tuple[Stored | None, list[bytes], datetime]) -> None:
    stored, configured, now = case
    once = rotate(stored, configured, now, LIFETIMES)
    assert rotate(once, configured, now, LIFETIMES) == once


@pytest.mark.parametrize("stored", [FIRST, MADE, promoted(), replace(MADE, next_trusted_since=DUE, signing=None)])
def test_what_was_written_into_the_secret_is_read_again(stored: Stored) -> None:
    assert Stored.from_data(stored.to_data()) == stored


def test_of_two_replicas_that_both_made_a_successor_the_one_who_wrote_last_decides_for_both() -> None:
    mine, others = successor(), successor()
    assert mine != others
    read = Stored.from_data(others.to_data())
    configured = [mine.bundle(DUE), mine.bundle(DUE)]
    assert rotate(read, configured, DUE, LIFETIMES) == rotate(others, configured, DUE, LIFETIMES) == others


def changed(**data: bytes | None) -> dict[str, bytes]:
    """Return the data of a Secret with entries replaced, or left out; ``_`` stands for a dot."""
    names = {name.replace("_", ".", 1): content for name, content in data.items()}
    return {name: content for name, content in {**MADE.to_data(), **names}.items() if content is not None}


CORRUPT = {
    "an empty Secret": ({}, "there is neither signing.crt nor next.crt"),
    "other entries": ({"tls.crt": FIRST.bundle(NOW)}, "there is neither signing.crt nor next.crt"),
    "a certificate without its key": (changed(signing_key=None), "signing: the key is no private key in PEM"),
    "a key without its certificate": (changed(next_crt=None), "next: one certificate in PEM is needed, there are 0"),
    "a certificate cut short": (changed(signing_crt=FIRST.bundle(NOW)[:200]), "signing: one certificate in PEM"),
    "the key of another": (changed(signing_key=MADE.next.key), "signing: the key is not that of the certificate"),
    "a leaf": (changed(next_crt=LEAF.chain, next_key=LEAF.key), "next: the certificate is not that of a CA"),
    "words for a time": (changed(**{"next_trusted-since": b"yesterday"}), "next.trusted-since: not a time"),
    "bytes for a time": (changed(**{"next_trusted-since": b"\xff"}), "next.trusted-since: not a time"),
    "a time without its zone": (changed(**{"next_trusted-since": b"2027-03-01"}), "no time zone"),
}


@pytest.mark.parametrize(("data", "reason"), CORRUPT.values(), ids=CORRUPT)
def test_a_invalid_secret_says_why(data: dict[str, bytes], reason: str) -> None:
    with pytest.raises(CertificateError, match=reason):
        Stored.from_data(data)


def test_garbage_among_what_is_trusted_spoils_nothing() -> None:
    stored = Stored.from_data({**promoted().to_data(), "trusted.crt": b"garbage\n" + promoted().trusted})
    assert rotate(stored, NEW, DUE + MINUTE, LIFETIMES) == promoted()


def test_keys_are_not_shown() -> None:
    assert "PRIVATE" not in repr(MADE)


IMPOSSIBLE = {
    "no lifetime": ({"ca": timedelta(0)}, "at least 3 seconds"),
    "a negative lifetime": ({"leaf": -SECOND}, "at least 3 seconds"),
    "a lifetime of a second": ({"ca": SECOND, "trust_delay": timedelta(0)}, "at least 3 seconds"),
    "a negative time to settle": ({"trust_delay": -SECOND}, "less than a third"),
    "a successor that could not settle in time": ({"ca": HOUR, "trust_delay": 20 * MINUTE}, "less than a third"),
}


@pytest.mark.parametrize(("lifetimes", "reason"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_lifetimes_that_cannot_be_kept_are_denied(lifetimes: dict[str, timedelta], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Lifetimes(**lifetimes)


def leaf_at(stored: Stored, now: datetime = NOW, leaf: Leaf | None = None) -> Leaf:
    made = renewed(leaf, stored, NAMES, now, LIFETIMES)
    assert made
    return made


def test_a_replica_without_a_leaf_gets_one_of_the_ca_that_signs() -> None:
    leaf = leaf_at(MADE, DUE)
    assert why_not_trusted(FIRST.bundle(DUE), leaf, NAME, DUE) is None
    assert certificate(leaf).not_valid_after_utc == DUE + LIFETIMES.leaf


def test_a_leaf_is_renewed_at_two_thirds_of_its_lifetime() -> None:
    leaf, late = leaf_at(FIRST), NOW + LIFETIMES.leaf * 2 / 3
    assert leaf_at(FIRST, late - SECOND, leaf) == leaf
    assert certificate(leaf_at(FIRST, late, leaf)).not_valid_after_utc == late + LIFETIMES.leaf


def test_a_leaf_is_renewed_when_another_ca_signs() -> None:
    leaf = leaf_at(FIRST, DUE)
    assert leaf_at(promoted(), DUE + MINUTE, leaf) != leaf


def test_a_leaf_that_already_ends_with_its_ca_is_kept() -> None:
    assert FIRST.signing
    end = FIRST.signing.not_after
    leaf = leaf_at(FIRST, end - HOUR)
    assert leaf_at(FIRST, end - MINUTE, leaf) == leaf


@pytest.mark.parametrize("later", [-2 * HOUR, 8 * DAY], ids=["not valid yet", "ended"])
def test_a_leaf_that_a_clock_made_useless_is_replaced(later: timedelta) -> None:
    stored = first(NOW - DAY)
    leaf = leaf_at(stored)
    assert why_not_trusted(stored.bundle(NOW), leaf_at(stored, NOW + later, leaf), NAME, NOW + later) is None


UNABLE = {
    "nothing signs": (replace(MADE, signing=None), DUE),
    "the CA has ended": (FIRST, NOW + 2 * LIFETIMES.ca),
    "the CA is not valid yet": (FIRST, NOW - DAY),
}


@pytest.mark.parametrize(("stored", "now"), UNABLE.values(), ids=UNABLE)
def test_where_nothing_can_sign_the_leaf_stays_what_it_is(stored: Stored, now: datetime) -> None:
    leaf = CA.make(DAY, NOW).sign(NAMES, DAY, NOW)
    assert renewed(None, stored, NAMES, now, LIFETIMES) is None
    assert renewed(leaf, stored, NAMES, now, LIFETIMES) == leaf
