"""When an offered leaf is served, and when a replica is ready."""

import threading
from datetime import timedelta

import pytest

from certs import CA, Leaf, Serving
from tests.certs.build import DAY, HOUR, MINUTE, NAME, NAMES, NOW, SECOND, Issued, named

OLD, NEW = (CA.make(30 * DAY, NOW) for _ in range(2))
ONE, TWO = OLD.sign(NAMES, DAY, NOW), NEW.sign(NAMES, 7 * DAY, NOW)
AGAIN = OLD.sign(NAMES, 2 * DAY, NOW)
TRUSTS_OLD, TRUSTS_NEW = OLD.certificate, NEW.certificate
BOTH = TRUSTS_OLD + TRUSTS_NEW
SOON = NOW + SECOND


def begun(*bundles: bytes) -> Serving:
    """Return a replica that serves the old CA's leaf to webhooks with these bundles."""
    serving = Serving(MINUTE, NAME)
    serving.offer(ONE)
    serving.observe(bundles, NOW)
    assert (serving.current(), serving.why_not()) == (ONE, None)
    return serving


def test_before_anything_is_offered_there_is_nothing_to_serve_and_it_says_so() -> None:
    serving = Serving(MINUTE, NAME)
    serving.observe([], NOW)
    assert (serving.current(), serving.why_not()) == (None, "no certificate has been offered yet")


def test_before_it_is_known_what_is_registered_nothing_is_served() -> None:
    serving = Serving(MINUTE, NAME)
    serving.offer(ONE)
    assert serving.current() is None
    assert serving.why_not()


def test_where_nothing_is_registered_a_leaf_is_served_at_once() -> None:
    serving = begun()
    serving.offer(TWO)
    serving.observe([], SOON)
    assert serving.current() == TWO


def test_a_leaf_that_all_trust_from_the_beginning_is_served_at_once() -> None:
    begun(TRUSTS_OLD, BOTH)


def test_a_renewed_leaf_of_an_ca_long_trusted_is_served_at_once() -> None:
    serving = begun(TRUSTS_OLD, TRUSTS_OLD)
    serving.offer(AGAIN)
    serving.observe([TRUSTS_OLD, TRUSTS_OLD], SOON)
    assert serving.current() == AGAIN


UNTRUSTED = {"by none": [TRUSTS_OLD, TRUSTS_OLD], "by one of two": [BOTH, TRUSTS_OLD], "by an empty one": [BOTH, b""]}


@pytest.mark.parametrize("bundles", UNTRUSTED.values(), ids=UNTRUSTED)
def test_a_leaf_that_is_not_trusted_by_every_webhook_waits(bundles: list[bytes]) -> None:
    serving = begun(TRUSTS_OLD, TRUSTS_OLD)
    serving.offer(TWO)
    for hours in range(10):
        serving.observe(bundles, NOW + hours * HOUR)
    assert (serving.current(), serving.why_not()) == (ONE, None)


def test_once_trusted_it_waits_until_the_bundles_have_settled() -> None:
    serving = begun(TRUSTS_OLD, TRUSTS_OLD)
    serving.offer(TWO)
    serving.observe([BOTH, BOTH], SOON)
    serving.observe([BOTH, BOTH], SOON + MINUTE - SECOND)
    assert serving.current() == ONE
    serving.observe([BOTH, BOTH], SOON + MINUTE)
    assert (serving.current(), serving.why_not()) == (TWO, None)


def test_the_count_is_of_the_bundles_and_not_of_the_leaf() -> None:
    serving = begun(TRUSTS_OLD)
    serving.observe([BOTH], SOON)
    serving.offer(TWO)
    serving.observe([BOTH], SOON + MINUTE)
    assert serving.current() == TWO


def test_a_bundle_that_ceased_to_trust_it_starts_the_count_again() -> None:
    serving = begun(TRUSTS_OLD)
    serving.offer(TWO)
    for later, bundle in ((1, BOTH), (31, TRUSTS_OLD), (41, BOTH), (91, BOTH)):
        serving.observe([bundle], NOW + later * SECOND)
        assert serving.current() == ONE
    serving.observe([BOTH], NOW + 101 * SECOND)
    assert serving.current() == TWO


def test_a_clock_that_came_back_from_the_future_starts_the_count_again() -> None:
    serving = begun(TRUSTS_OLD)
    serving.offer(TWO)
    for now in (NOW + HOUR, SOON, SOON + MINUTE - SECOND):
        serving.observe([BOTH], now)
        assert serving.current() == ONE
    serving.observe([BOTH], SOON + MINUTE)
    assert serving.current() == TWO


def test_a_leaf_that_has_ended_gives_way_to_its_successor_that_nobody_trusts_yet_but_the_replica_is_not_ready() -> None:
    serving = begun(TRUSTS_OLD)
    serving.offer(TWO)
    serving.observe([TRUSTS_OLD], NOW + DAY - SECOND)
    assert serving.current() == ONE
    serving.observe([TRUSTS_OLD], NOW + DAY)
    assert serving.current() == TWO
    assert "does not trust it" in (serving.why_not() or "")
    serving.observe([BOTH], NOW + DAY + SECOND)
    assert serving.why_not() is None


def test_a_time_to_settle_that_is_longer_than_the_leaf_lives_delays_it_no_longer_than_that() -> None:
    serving = Serving(365 * DAY, NAME)
    serving.offer(ONE)
    serving.observe([TRUSTS_OLD], NOW)
    serving.offer(TWO)
    serving.observe([BOTH], SOON)
    assert serving.current() == ONE
    serving.observe([BOTH], NOW + DAY)
    assert (serving.current(), serving.why_not()) == (TWO, None)


def test_a_leaf_that_nobody_trusts_any_more_gives_way_at_once() -> None:
    serving = begun(TRUSTS_OLD, TRUSTS_OLD)
    serving.offer(TWO)
    serving.observe([TRUSTS_NEW, TRUSTS_NEW], SOON)
    assert (serving.current(), serving.why_not()) == (TWO, None)


def test_a_leaf_that_one_webhook_still_trusts_does_not() -> None:
    serving = begun(TRUSTS_OLD, TRUSTS_OLD)
    serving.offer(TWO)
    serving.observe([BOTH, TRUSTS_NEW], SOON)
    assert (serving.current(), serving.why_not()) == (ONE, None)


def test_a_new_replica_whose_leaf_nobody_trusts_can_be_asked_why_it_is_not_ready() -> None:
    serving = Serving(MINUTE, NAME)
    serving.offer(TWO)
    serving.observe([BOTH, TRUSTS_OLD], NOW)
    assert serving.current() == TWO
    assert "does not trust it: the bundle has no CA valid now that signed it" in (serving.why_not() or "")
    serving.observe([BOTH, BOTH], SOON)
    assert serving.why_not() is None


def test_a_bundle_that_somebody_invalid_takes_no_replica_out_of_service_while_another_trusts_it() -> None:
    serving = begun(TRUSTS_OLD, TRUSTS_OLD)
    serving.observe([TRUSTS_OLD, b"spoilt"], SOON)
    assert (serving.current(), serving.why_not()) == (ONE, None)
    serving.observe([b"spoilt", b"spoilt"], SOON)
    assert serving.current() == ONE
    assert serving.why_not()
    serving.observe([TRUSTS_OLD, b"spoilt"], SOON)
    assert serving.why_not() is None


def test_a_replica_whose_only_leaf_has_ended_is_not_ready() -> None:
    serving = begun(TRUSTS_OLD)
    serving.observe([TRUSTS_OLD], NOW + DAY)
    assert serving.current() == ONE
    assert serving.why_not() == "the certificate is not valid: it expired at 2027-03-02 12:00:00 UTC"


def test_webhook_configurations_that_come_and_go_change_nothing_that_is_served() -> None:
    serving = begun()
    for bundles in ([TRUSTS_OLD], [], [BOTH, TRUSTS_OLD], []):
        serving.observe(bundles, SOON)
        assert (serving.current(), serving.why_not()) == (ONE, None)


USELESS = {
    "no certificate": Leaf(b"garbage", ONE.key),
    "half a certificate": Leaf(ONE.chain[:100], ONE.key),
    "no key": Leaf(ONE.chain, b""),
    "the key of another": Leaf(ONE.chain, TWO.key),
    "another name": OLD.sign(["webhook.other.svc"], DAY, NOW),
    "one that has ended": OLD.sign(NAMES, HOUR, NOW - 2 * HOUR),
    "one that is not valid yet": OLD.sign(NAMES, DAY, NOW + 2 * HOUR),
    "one for clients": Issued("client", named("client")).leaf(),
}


@pytest.mark.parametrize("bundles", [[], [TRUSTS_OLD]], ids=["nothing registered", "registered"])
@pytest.mark.parametrize("leaf", USELESS.values(), ids=USELESS)
def test_what_no_client_would_accept_is_never_served(leaf: Leaf, bundles: list[bytes]) -> None:
    serving = Serving(MINUTE, NAME)
    serving.offer(leaf)
    serving.observe(bundles, NOW)
    assert serving.current() is None
    assert serving.why_not()
    serving = begun(*bundles)
    serving.offer(leaf)
    serving.observe(bundles, SOON)
    assert (serving.current(), serving.why_not()) == (ONE, None)


def test_without_a_time_to_settle_trust_is_enough() -> None:
    serving = Serving(timedelta(0), NAME)
    serving.offer(ONE)
    serving.observe([TRUSTS_OLD], NOW)
    serving.offer(TWO)
    serving.observe([BOTH], NOW)
    assert serving.current() == TWO


def test_many_threads_see_one_leaf_or_the_other() -> None:
    serving = begun(BOTH)
    seen: set[Leaf | None] = set()

    def look() -> None:
        for _ in range(2000):
            seen.add(serving.current())

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for leaf in (TWO, ONE) * 20:
        serving.offer(leaf)
        serving.observe([BOTH], SOON)
    for thread in threads:
        thread.join()
    assert seen <= {ONE, TWO}
    assert serving.current() == ONE
