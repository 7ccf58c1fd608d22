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
NOBODY = "a webhook configuration does not trust it: the bundle has no CA valid now that signed it"


def serving_one(*bundles: bytes) -> Serving:
    """Return a replica that serves the old CA's leaf to webhooks with these bundles."""
    serving = Serving(MINUTE, NAME)
    serving.offer(ONE)
    serving.observe(bundles, NOW)
    assert (serving.current(), serving.why_not()) == (ONE, None)
    return serving


def test_nothing_is_served_before_a_leaf_is_offered_and_the_webhook_configurations_are_read() -> None:
    serving = Serving(MINUTE, NAME)
    serving.observe([], NOW)
    assert (serving.current(), serving.why_not()) == (None, "no certificate has been offered yet")
    serving = Serving(MINUTE, NAME)
    serving.offer(ONE)
    assert serving.current() is None
    assert serving.why_not()


Step = tuple[timedelta, list[bytes], Leaf]
"""After this time, webhooks have these bundles; then this leaf is served, and the replica is ready."""
FOLLOWED: dict[str, tuple[list[bytes], Leaf, list[Step]]] = {
    "at once without webhook configurations": ([], TWO, [(SECOND, [], TWO)]),
    "at once if its CA was always trusted": ([TRUSTS_OLD] * 2, AGAIN, [(SECOND, [TRUSTS_OLD] * 2, AGAIN)]),
    "not while none trusts it": ([TRUSTS_OLD] * 2, TWO, [(9 * HOUR, [TRUSTS_OLD] * 2, ONE)]),
    "not while one of two does not trust it": ([TRUSTS_OLD] * 2, TWO, [(9 * HOUR, [BOTH, TRUSTS_OLD], ONE)]),
    "not while one bundle is empty": ([TRUSTS_OLD] * 2, TWO, [(9 * HOUR, [BOTH, b""], ONE)]),
    "after the trust delay": (
        [TRUSTS_OLD] * 2,
        TWO,
        [(SECOND, [BOTH] * 2, ONE), (MINUTE, [BOTH] * 2, ONE), (MINUTE + SECOND, [BOTH] * 2, TWO)],
    ),
    "after the trust delay without an interruption": (
        [TRUSTS_OLD],
        TWO,
        [
            (SECOND, [BOTH], ONE),
            (31 * SECOND, [TRUSTS_OLD], ONE),
            (41 * SECOND, [BOTH], ONE),
            (91 * SECOND, [BOTH], ONE),
            (101 * SECOND, [BOTH], TWO),
        ],
    ),
    "after the trust delay by a clock that went back": (
        [TRUSTS_OLD],
        TWO,
        [(HOUR, [BOTH], ONE), (SECOND, [BOTH], ONE), (MINUTE, [BOTH], ONE), (MINUTE + SECOND, [BOTH], TWO)],
    ),
    "at once if nobody trusts the old one any more": ([TRUSTS_OLD] * 2, TWO, [(SECOND, [TRUSTS_NEW] * 2, TWO)]),
    "not while one webhook trusts only the old one": ([TRUSTS_OLD] * 2, TWO, [(SECOND, [BOTH, TRUSTS_NEW], ONE)]),
    "not by webhook configurations that come and go": (
        [],
        ONE,
        [(SECOND, bundles, ONE) for bundles in ([TRUSTS_OLD], [], [BOTH, TRUSTS_OLD], [])],
    ),
}


@pytest.mark.parametrize(("bundles", "offered", "steps"), FOLLOWED.values(), ids=FOLLOWED)
def test_an_offered_leaf_is_served(bundles: list[bytes], offered: Leaf, steps: list[Step]) -> None:
    serving = serving_one(*bundles)
    serving.offer(offered)
    for later, held, served in steps:
        serving.observe(held, NOW + later)
        assert (serving.current(), serving.why_not()) == (served, None), later


def test_the_trust_delay_counts_for_the_bundles_and_not_for_the_leaf() -> None:
    serving = serving_one(TRUSTS_OLD)
    serving.observe([BOTH], NOW + SECOND)
    serving.offer(TWO)
    serving.observe([BOTH], NOW + SECOND + MINUTE)
    assert serving.current() == TWO


def test_an_expired_leaf_gives_way_to_one_that_nobody_trusts_yet_but_the_replica_is_not_ready() -> None:
    serving = serving_one(TRUSTS_OLD)
    serving.offer(TWO)
    serving.observe([TRUSTS_OLD], NOW + DAY - SECOND)
    assert serving.current() == ONE
    serving.observe([TRUSTS_OLD], NOW + DAY)
    assert serving.current() == TWO
    assert (serving.why_not() or "").startswith(NOBODY)
    serving.observe([BOTH], NOW + DAY + SECOND)
    assert serving.why_not() is None


@pytest.mark.parametrize(
    ("trust_delay", "later"), [(365 * DAY, [SECOND, DAY]), (0 * DAY, [0 * DAY])], ids=["long", "0"]
)
def test_a_leaf_waits_no_longer_than_the_trust_delay_and_the_end_of_the_leaf_in_use(
    trust_delay: timedelta, later: list[timedelta]
) -> None:
    serving = Serving(trust_delay, NAME)
    serving.offer(ONE)
    serving.observe([TRUSTS_OLD], NOW)
    serving.offer(TWO)
    for after in later:
        assert serving.current() == ONE
        serving.observe([BOTH], NOW + after)
    assert (serving.current(), serving.why_not()) == (TWO, None)


def test_a_new_replica_whose_leaf_nobody_trusts_says_why_it_is_not_ready() -> None:
    serving = Serving(MINUTE, NAME)
    serving.offer(TWO)
    serving.observe([BOTH, TRUSTS_OLD], NOW)
    assert serving.current() == TWO
    assert (serving.why_not() or "").startswith(NOBODY)
    serving.observe([BOTH, BOTH], NOW + SECOND)
    assert serving.why_not() is None


def test_a_replica_stays_ready_while_one_webhook_trusts_its_leaf() -> None:
    serving = serving_one(TRUSTS_OLD, TRUSTS_OLD)
    for bundles, is_ready in (([TRUSTS_OLD, b"?"], True), ([b"?", b"?"], False), ([TRUSTS_OLD, b"?"], True)):
        serving.observe(bundles, NOW + SECOND)
        assert (serving.current(), serving.why_not() is None) == (ONE, is_ready)


def test_a_replica_whose_only_leaf_has_expired_is_not_ready() -> None:
    serving = serving_one(TRUSTS_OLD)
    serving.observe([TRUSTS_OLD], NOW + DAY)
    assert serving.current() == ONE
    assert serving.why_not() == "the certificate is not valid: it expired at 2027-03-02 12:00:00 UTC"


USELESS = {
    "no certificate": Leaf(b"garbage", ONE.key),
    "no key": Leaf(ONE.chain, b""),
    "the key of another": Leaf(ONE.chain, TWO.key),
    "another name": OLD.sign(["webhook.other.svc"], DAY, NOW),
    "one that has expired": OLD.sign(NAMES, HOUR, NOW - 2 * HOUR),
    "one that is not valid yet": OLD.sign(NAMES, DAY, NOW + 2 * HOUR),
    "one for clients": Issued("client", named("client")).leaf(),
}


@pytest.mark.parametrize("bundles", [[], [TRUSTS_OLD]], ids=["no webhook configuration", "webhook configurations"])
@pytest.mark.parametrize("leaf", USELESS.values(), ids=USELESS)
def test_a_leaf_that_no_client_would_accept_is_never_served(leaf: Leaf, bundles: list[bytes]) -> None:
    serving = Serving(MINUTE, NAME)
    serving.offer(leaf)
    serving.observe(bundles, NOW)
    assert serving.current() is None
    assert serving.why_not()
    serving = serving_one(*bundles)
    serving.offer(leaf)
    serving.observe(bundles, NOW + SECOND)
    assert (serving.current(), serving.why_not()) == (ONE, None)


def test_threads_see_one_leaf_or_the_other() -> None:
    serving = serving_one(BOTH)
    seen: set[Leaf | None] = set()
    threads = [threading.Thread(target=lambda: seen.update(serving.current() for _ in range(2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for leaf in (TWO, ONE) * 20:
        serving.offer(leaf)
        serving.observe([BOTH], NOW + SECOND)
    for thread in threads:
        thread.join()
    assert seen <= {ONE, TWO}
    assert serving.current() == ONE
