"""What is lost and how it comes back: Secrets, webhook configurations, bundles, and the right time."""

from datetime import datetime, timedelta

import pytest

from certs import Leaf, Lifetimes, Serving, Stored, renewed, rotate, union
from tests.certs.build import DAY, HOUR, LIFETIMES, MINUTE, NAME, NAMES, NOW, SECOND, first, why_not_trusted

FIRST = first()
CONFIGURED = [FIRST.bundle(NOW)] * 3
THEN = NOW + 10 * DAY


def put_right(configured: list[bytes], stored: Stored, now: datetime) -> list[bytes]:
    """Return the bundles once the leader has seen to them."""
    return [union(*configured, stored.bundle(now), now=now)] * 3


def leaf_of(stored: Stored) -> Leaf:
    leaf = renewed(None, stored, NAMES, THEN, LIFETIMES)
    assert leaf
    return leaf


def test_a_deleted_secret_is_written_back_as_it_was_by_a_leader_who_remembers_it() -> None:
    assert rotate(FIRST, CONFIGURED, THEN, LIFETIMES) == FIRST


def test_a_secret_that_is_lost_is_replaced_by_an_ca_that_signs_nothing_before_it_is_trusted() -> None:
    lost = rotate(None, CONFIGURED, THEN, LIFETIMES)
    assert lost.next
    assert lost.signing is None
    configured = put_right(CONFIGURED, lost, THEN)
    seen = rotate(lost, configured, THEN + SECOND, LIFETIMES)
    assert rotate(seen, configured, THEN + MINUTE, LIFETIMES).signing is None
    assert rotate(seen, configured, THEN + SECOND + MINUTE, LIFETIMES).signing == lost.next


def test_leaves_of_the_lost_ca_stay_trusted() -> None:
    old = leaf_of(FIRST)
    lost = rotate(None, CONFIGURED, THEN, LIFETIMES)
    trusted_long_enough = rotate(lost, put_right(CONFIGURED, lost, THEN), THEN, LIFETIMES)
    later = rotate(trusted_long_enough, put_right(CONFIGURED, trusted_long_enough, THEN), THEN + MINUTE, LIFETIMES)
    for stored in (lost, trusted_long_enough, later):
        assert why_not_trusted(stored.bundle(THEN), old, NAME, THEN) is None


def test_they_do_so_even_when_the_webhook_configurations_are_deleted_next() -> None:
    lost = rotate(None, CONFIGURED, THEN, LIFETIMES)
    signs = rotate(lost, [], THEN, LIFETIMES)
    assert signs.signing == lost.next
    assert why_not_trusted(signs.bundle(THEN), leaf_of(FIRST), NAME, THEN) is None


def test_a_secret_that_is_lost_when_nothing_is_registered_is_replaced_at_once() -> None:
    assert rotate(None, [], THEN, LIFETIMES).signing not in (None, FIRST.signing)


@pytest.mark.parametrize("configured", [[b""], [b"garbage", b""]], ids=["nothing", "garbage"])
def test_where_webhook_configurations_trust_nothing_that_is_valid_nothing_is_lost_by_signing_at_once(
    configured: list[bytes],
) -> None:
    assert rotate(None, configured, THEN, LIFETIMES).signing


def test_an_ca_that_somebody_removed_from_a_bundle_is_in_what_must_be_trusted_still() -> None:
    other = first()
    removed = [CONFIGURED[0], CONFIGURED[0], other.bundle(NOW)]
    stored = rotate(FIRST, removed, THEN, LIFETIMES)
    assert stored == FIRST
    assert all(FIRST.bundle(NOW) in bundle for bundle in put_right(removed, stored, THEN))


JUMPS = {"an hour": HOUR, "a day": DAY, "a month": 30 * DAY, "ten months": 300 * DAY, "three years": 1100 * DAY}


@pytest.mark.parametrize("jump", [*JUMPS.values(), *(-jump for jump in JUMPS.values())])
def test_after_a_clock_that_jumped_and_came_back_a_trusted_leaf_is_served_within_minutes(jump: timedelta) -> None:
    stored, configured = FIRST, CONFIGURED
    serving, leaf = Serving(LIFETIMES.trust_delay, NAME), leaf_of(FIRST)
    for minute in range(30):
        now = THEN + minute * MINUTE + (jump if 5 <= minute < 10 else timedelta(0))
        stored = rotate(stored, configured, now, LIFETIMES)
        configured = put_right(configured, stored, now)
        leaf = renewed(leaf, stored, NAMES, now, LIFETIMES) or leaf
        serving.offer(leaf)
        serving.observe(configured, now)
        if minute >= 15 or abs(jump) <= HOUR:
            served = serving.current()
            assert served
            assert serving.why_not() is None
            assert [why_not_trusted(each, served, NAME, THEN + minute * MINUTE) for each in configured] == [None] * 3


def test_an_ca_of_the_future_signs_nothing_but_what_it_signed_stays_trusted() -> None:
    future = first(THEN + 2 * HOUR)
    stored = rotate(future, [future.bundle(THEN)], THEN, LIFETIMES)
    assert stored.signing is None
    assert stored.next not in (None, future.signing)
    assert future.bundle(THEN) in stored.bundle(THEN)


def test_a_successor_of_the_future_is_made_again() -> None:
    due = NOW + LIFETIMES.ca * 2 / 3
    early = rotate(FIRST, CONFIGURED, due + 3 * HOUR, LIFETIMES)
    stored = rotate(early, CONFIGURED, due, LIFETIMES)
    assert stored.signing == FIRST.signing
    assert stored.next not in (None, early.next)


def test_a_count_that_began_in_the_future_begins_again() -> None:
    due = NOW + LIFETIMES.ca * 2 / 3
    made = rotate(FIRST, CONFIGURED, due, LIFETIMES)
    configured = put_right(CONFIGURED, made, due)
    jumped = rotate(made, configured, due + HOUR, LIFETIMES)
    assert jumped.next_trusted_since == due + HOUR
    back = rotate(jumped, configured, due, LIFETIMES)
    assert back.next_trusted_since == due
    assert rotate(back, configured, due + MINUTE, LIFETIMES).signing == made.next


def test_lifetimes_of_seconds_are_as_good_as_those_of_years() -> None:
    short = Lifetimes(20 * SECOND, 5 * SECOND, 2 * SECOND)
    stored = first(NOW, short)
    leaf = renewed(None, stored, NAMES, NOW, short)
    assert leaf
    assert why_not_trusted(stored.bundle(NOW), leaf, NAME, NOW + 4 * SECOND) is None
    assert renewed(leaf, stored, NAMES, NOW + 3 * SECOND, short) == leaf
    assert renewed(leaf, stored, NAMES, NOW + 4 * SECOND, short) != leaf
    assert rotate(stored, [stored.bundle(NOW)], NOW + 13 * SECOND, short) == stored
    assert rotate(stored, [stored.bundle(NOW)], NOW + 14 * SECOND, short).next
