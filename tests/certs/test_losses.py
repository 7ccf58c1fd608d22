"""Recovery from lost Secrets, webhook configurations and bundles, and from a wrong clock."""

from datetime import datetime, timedelta

import pytest

from certs import Leaf, Serving, Stored, renewed, rotate, union
from tests.certs import build
from tests.certs.build import DAY, HOUR, LIFETIMES, MINUTE, NAME, NAMES, NOW, SECOND, first

FIRST = first()
CONFIGURED = [FIRST.bundle(NOW)] * 3
THEN = NOW + 10 * DAY
DUE = NOW + LIFETIMES.ca * 2 / 3


def reconciled(configured: list[bytes], stored: Stored, now: datetime) -> list[bytes]:
    """Return the bundles that the leader writes."""
    return [union(*configured, stored.bundle(now), now=now)] * 3


def leaf_of(stored: Stored) -> Leaf:
    leaf = renewed(None, stored, NAMES, THEN, LIFETIMES)
    assert leaf
    return leaf


def trusts(stored: Stored, leaf: Leaf) -> bool:
    return build.why_not_trusted(stored.bundle(THEN), leaf, NAME, THEN) is None


def test_a_lost_secret_is_replaced_by_a_ca_that_signs_nothing_before_it_is_trusted() -> None:
    old = leaf_of(FIRST)
    lost = rotate(None, CONFIGURED, THEN, LIFETIMES)
    assert lost.next
    assert lost.signing is None
    configured = reconciled(CONFIGURED, lost, THEN)
    seen = rotate(lost, configured, THEN + SECOND, LIFETIMES)
    assert rotate(seen, configured, THEN + MINUTE, LIFETIMES).signing is None
    signs = rotate(seen, configured, THEN + SECOND + MINUTE, LIFETIMES)
    assert signs.signing == lost.next
    assert all(trusts(stored, old) for stored in (lost, seen, signs))


def test_leaves_of_a_lost_ca_stay_trusted_when_the_webhook_configurations_are_deleted_next() -> None:
    lost = rotate(None, CONFIGURED, THEN, LIFETIMES)
    signs = rotate(lost, [], THEN, LIFETIMES)
    assert signs.signing == lost.next
    assert trusts(signs, leaf_of(FIRST))


@pytest.mark.parametrize("configured", [[], [b""], [b"garbage", b""]], ids=["none", "nothing", "garbage"])
def test_a_lost_secret_is_replaced_at_once_where_nothing_valid_is_trusted(configured: list[bytes]) -> None:
    assert rotate(None, configured, THEN, LIFETIMES).signing not in (None, FIRST.signing)


def test_a_ca_that_was_removed_from_a_bundle_or_with_the_secret_is_written_back() -> None:
    assert rotate(FIRST, CONFIGURED, THEN, LIFETIMES) == FIRST
    removed = [CONFIGURED[0], CONFIGURED[0], first().bundle(NOW)]
    stored = rotate(FIRST, removed, THEN, LIFETIMES)
    assert stored == FIRST
    assert all(FIRST.bundle(NOW) in bundle for bundle in reconciled(removed, stored, THEN))


JUMPS = {"an hour": HOUR, "a day": DAY, "a month": 30 * DAY, "ten months": 300 * DAY, "three years": 1100 * DAY}


@pytest.mark.parametrize("jump", [*JUMPS.values(), *(-jump for jump in JUMPS.values())])
def test_a_trusted_leaf_is_served_within_minutes_after_a_clock_jumped_and_came_back(jump: timedelta) -> None:
    stored, configured = FIRST, CONFIGURED
    serving, leaf = Serving(LIFETIMES.trust_delay, NAME), leaf_of(FIRST)
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
    early = rotate(FIRST, CONFIGURED, DUE + 3 * HOUR, LIFETIMES)
    stored = rotate(early, CONFIGURED, DUE, LIFETIMES)
    assert stored.signing == FIRST.signing
    assert stored.next not in (None, early.next)


def test_a_trust_delay_that_began_in_the_future_starts_again() -> None:
    made = rotate(FIRST, CONFIGURED, DUE, LIFETIMES)
    configured = reconciled(CONFIGURED, made, DUE)
    jumped = rotate(made, configured, DUE + HOUR, LIFETIMES)
    assert jumped.next_trusted_since == DUE + HOUR
    back = rotate(jumped, configured, DUE, LIFETIMES)
    assert back.next_trusted_since == DUE
    assert rotate(back, configured, DUE + MINUTE, LIFETIMES).signing == made.next
