"""Trust first, sign later: when a successor is made and signs, what is trusted meanwhile, and recovery from losses."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from certs import CA, CertificateError, Leaf, Lifetimes, Serving, Stored, renewed, rotate, union
from tests.certs import build
from tests.certs.build import DAY, HOUR, LIFETIMES, MINUTE, NAME, NAMES, NOW, SECOND, first

FIRST = first()
DUE = NOW + LIFETIMES.ca * 2 / 3
SHORT = Lifetimes(ca=20 * SECOND, leaf=5 * SECOND, trust_delay=2 * SECOND)
OLD = [FIRST.bundle(DUE)] * 3
"""What three webhooks trust before anything is due."""
MADE = rotate(FIRST, OLD, DUE, LIFETIMES)
NEW = [MADE.bundle(DUE)] * 3
SEEN = replace(MADE, next_trusted_since=DUE)
PROMOTED = rotate(rotate(MADE, NEW, DUE, LIFETIMES), NEW, DUE + MINUTE, LIFETIMES)
assert FIRST.signing
assert MADE.next
SIGNING, NEXT = FIRST.signing, MADE.next
LEAF = NEXT.sign(NAMES, DAY, DUE)
END, THEN = SIGNING.not_after, NOW + 10 * DAY


def leaf_of(stored: Stored, now: datetime, leaf: Leaf | None = None) -> Leaf:
    made = renewed(leaf, stored, NAMES, now, LIFETIMES)
    assert made
    return made


def trusts(stored: Stored, leaf: Leaf) -> bool:
    return build.why_not_trusted(stored.bundle(THEN), leaf, NAME, THEN) is None


def reconciled(configured: list[bytes], stored: Stored, now: datetime) -> list[bytes]:
    """Return the bundles that the leader writes."""
    return [union(*configured, stored.bundle(now), now=now)] * 3


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
    "by one whose bundle is cut short": [*NEW, NEW[0][:-100]],
    "but another replica's": [rotate(FIRST, OLD, DUE, LIFETIMES).bundle(DUE)] * 3,
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
    assert PROMOTED.bundle(END - SECOND) == NEXT.certificate + SIGNING.certificate
    assert PROMOTED.bundle(END) == NEXT.certificate
    assert rotate(PROMOTED, NEW, END, LIFETIMES).trusted == b""


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
    "when the old CA has expired, though nobody trusts it": (OLD, END, LIFETIMES),
}


@pytest.mark.parametrize(("configured", "now", "lifetimes"), AT_ONCE.values(), ids=AT_ONCE)
def test_a_successor_signs_at_once(configured: list[bytes], now: datetime, lifetimes: Lifetimes) -> None:
    assert rotate(MADE, configured, now, lifetimes).signing == NEXT


@pytest.mark.parametrize("configured", [[], OLD, NEW], ids=["no webhook configurations", "old", "new"])
def test_a_second_rotation_changes_nothing(configured: list[bytes]) -> None:
    times = [NOW - DAY, NOW, DUE, DUE + MINUTE, DUE + LIFETIMES.ca * 3 / 4, DUE + 2 * LIFETIMES.ca]
    for stored, now in product([None, FIRST, MADE, SEEN, replace(SEEN, next_trusted_since=DUE + HOUR)], times):
        once = rotate(stored, configured, now, LIFETIMES)
        assert rotate(once, configured, now, LIFETIMES) == once, (stored, now)


@pytest.mark.parametrize("stored", [FIRST, MADE, PROMOTED, replace(SEEN, signing=None)])
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


def test_a_replica_without_a_leaf_gets_one_of_the_signing_ca() -> None:
    leaf = leaf_of(MADE, DUE)
    assert build.why_not_trusted(FIRST.bundle(DUE), leaf, NAME, DUE) is None
    assert build.certificate(leaf).not_valid_after_utc == DUE + LIFETIMES.leaf


LATE = NOW + LIFETIMES.leaf * 2 / 3
RENEWED = {
    "not before two thirds of its lifetime": (NOW, FIRST, LATE - SECOND, False),
    "at two thirds of its lifetime": (NOW, FIRST, LATE, True),
    "when another CA signs": (DUE, PROMOTED, DUE + MINUTE, True),
    "not when it expires with its CA": (END - HOUR, FIRST, END - MINUTE, False),
    "when it has expired after a clock jump": (NOW, FIRST, NOW + 8 * DAY, True),
    "when it is not valid yet after a clock jump": (NOW + DAY, FIRST, NOW, True),
}


@pytest.mark.parametrize(("made", "stored", "now", "is_renewed"), RENEWED.values(), ids=RENEWED)
def test_a_leaf_is_renewed(made: datetime, stored: Stored, now: datetime, is_renewed: bool) -> None:
    old = leaf_of(FIRST, made)
    leaf = leaf_of(stored, now, old)
    assert (leaf != old) == is_renewed
    assert build.why_not_trusted(stored.bundle(now), leaf, NAME, now) is None
    assert not is_renewed or build.certificate(leaf).not_valid_after_utc == now + LIFETIMES.leaf


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


def test_a_lost_secret_is_replaced_by_a_ca_that_signs_nothing_before_it_is_trusted() -> None:
    old = leaf_of(FIRST, THEN)
    lost = rotate(None, OLD, THEN, LIFETIMES)
    assert lost.next
    assert lost.signing is None
    configured = reconciled(OLD, lost, THEN)
    seen = rotate(lost, configured, THEN + SECOND, LIFETIMES)
    assert rotate(seen, configured, THEN + MINUTE, LIFETIMES).signing is None
    signs = rotate(seen, configured, THEN + SECOND + MINUTE, LIFETIMES)
    assert signs.signing == lost.next
    assert all(trusts(stored, old) for stored in (lost, seen, signs))


def test_leaves_of_a_lost_ca_stay_trusted_when_the_webhook_configurations_are_deleted_next() -> None:
    lost = rotate(None, OLD, THEN, LIFETIMES)
    signs = rotate(lost, [], THEN, LIFETIMES)
    assert signs.signing == lost.next
    assert trusts(signs, leaf_of(FIRST, THEN))


@pytest.mark.parametrize("configured", [[], [b""], [b"garbage", b""]], ids=["none", "nothing", "garbage"])
def test_a_lost_secret_is_replaced_at_once_where_nothing_valid_is_trusted(configured: list[bytes]) -> None:
    assert rotate(None, configured, THEN, LIFETIMES).signing not in (None, FIRST.signing)


def test_a_ca_that_was_removed_from_a_bundle_or_with_the_secret_is_written_back() -> None:
    removed = [OLD[0], OLD[0], first().bundle(NOW)]
    stored = rotate(FIRST, removed, THEN, LIFETIMES)
    assert stored == FIRST
    assert all(FIRST.bundle(NOW) in bundle for bundle in reconciled(removed, stored, THEN))


JUMPS = {"an hour": HOUR, "a day": DAY, "a month": 30 * DAY, "ten months": 300 * DAY, "three years": 1100 * DAY}


@pytest.mark.parametrize("jump", [*JUMPS.values(), *(-jump for jump in JUMPS.values())])
def test_a_trusted_leaf_is_served_within_minutes_after_a_clock_jumped_and_came_back(jump: timedelta) -> None:
    stored, configured = FIRST, OLD
    serving, leaf = Serving(LIFETIMES.trust_delay, NAME), leaf_of(FIRST, THEN)
    for minute in range(30):
        now = THEN + minute * MINUTE + (jump if 5 <= minute < 10 else timedelta(0))
        stored = rotate(stored, configured, now, LIFETIMES)
        configured = reconciled(configured, stored, now)
        leaf = renewed(leaf, stored, NAMES, now, LIFETIMES) or leaf
        serving.offer(leaf)
        serving.observe(configured, now)
        if minute >= 15 or abs(jump) <= HOUR:
            served, true_time = serving.current(), THEN + minute * MINUTE
            assert served
            assert serving.why_not() is None
            assert all(build.why_not_trusted(each, served, NAME, true_time) is None for each in configured)


def test_a_ca_of_the_future_signs_nothing_and_stays_trusted() -> None:
    future = first(THEN + 2 * HOUR)
    stored = rotate(future, [future.bundle(THEN)], THEN, LIFETIMES)
    assert stored.signing is None
    assert stored.next not in (None, future.signing)
    assert future.bundle(THEN) in stored.bundle(THEN)


def test_a_successor_of_the_future_is_made_again() -> None:
    early = rotate(FIRST, OLD, DUE + 3 * HOUR, LIFETIMES)
    stored = rotate(early, OLD, DUE, LIFETIMES)
    assert stored.signing == FIRST.signing
    assert stored.next not in (None, early.next)


def test_a_trust_delay_that_began_in_the_future_starts_again() -> None:
    jumped = rotate(MADE, NEW, DUE + HOUR, LIFETIMES)
    assert jumped.next_trusted_since == DUE + HOUR
    back = rotate(jumped, NEW, DUE, LIFETIMES)
    assert back.next_trusted_since == DUE
    assert rotate(back, NEW, DUE + MINUTE, LIFETIMES).signing == NEXT
