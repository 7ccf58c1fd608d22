"""When an offered leaf is served, and when a replica is ready."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from certs import CA, Leaf, Serving
from tests.certs.build import DAY, HOUR, MINUTE, NAME, NAMES, NOW, SECOND, Issued, named

OLD, NEW = (CA.make(30 * DAY, NOW) for _ in range(2))
ONE, TWO = OLD.sign(NAMES, DAY, NOW), NEW.sign(NAMES, 7 * DAY, NOW)
AGAIN = OLD.sign(NAMES, 2 * DAY, NOW)
BUNDLES = {"o": OLD.certificate, "n": NEW.certificate, "b": OLD.certificate + NEW.certificate, "-": b""}
"""What a webhook trusts: the old CA, the new one, both or nothing."""
NOBODY = "a webhook configuration does not trust it: the bundle has no CA valid now that signed it"
EXPIRED = "the certificate is not valid: it expired at 2027-03-02 12:00:00 UTC"
LATE = DAY // SECOND


def offered(leaf: Leaf, trust_delay: timedelta = MINUTE) -> Serving:
    serving = Serving(trust_delay, NAME)
    serving.offer(leaf)
    return serving


def observed(serving: Serving, seconds: int, bundles: str) -> tuple[Leaf | None, str | None]:
    """Let webhooks have these bundles after some seconds; return the leaf served, and why the replica is not ready."""
    serving.observe([BUNDLES[name] for name in bundles], NOW + seconds * SECOND)
    reason = serving.why_not()
    return serving.current(), reason and reason.partition(" (issuer")[0]


def serving_one(bundles: str) -> Serving:
    """Return a replica that serves the old CA's leaf to webhooks with these bundles."""
    serving = offered(ONE)
    assert observed(serving, 0, bundles) == (ONE, None)
    return serving


def test_nothing_is_served_before_a_leaf_is_offered_and_the_webhook_configurations_are_read() -> None:
    assert observed(Serving(MINUTE, NAME), 0, "") == (None, "no certificate has been offered yet")
    serving = offered(ONE)
    assert serving.current() is None
    assert serving.why_not()


FOLLOWED: dict[str, tuple[str, Leaf, list[tuple[int, str, Leaf]]]] = {
    "at once without webhook configurations": ("", TWO, [(1, "", TWO)]),
    "at once if its CA was always trusted": ("oo", AGAIN, [(1, "oo", AGAIN)]),
    "not while none trusts it": ("oo", TWO, [(LATE // 2, "oo", ONE)]),
    "not while one of two does not trust it": ("oo", TWO, [(LATE // 2, "bo", ONE)]),
    "not while one bundle is empty": ("oo", TWO, [(LATE // 2, "b-", ONE)]),
    "after the trust delay": ("oo", TWO, [(1, "bb", ONE), (60, "bb", ONE), (61, "bb", TWO)]),
    "after the trust delay without an interruption": (
        "o",
        TWO,
        [(1, "b", ONE), (31, "o", ONE), (41, "b", ONE), (91, "b", ONE), (101, "b", TWO)],
    ),
    "after the trust delay by a clock that went back": (
        "o",
        TWO,
        [(3600, "b", ONE), (1, "b", ONE), (60, "b", ONE), (61, "b", TWO)],
    ),
    "at once if nobody trusts the old one any more": ("oo", TWO, [(1, "nn", TWO)]),
    "not while one webhook trusts only the old one": ("oo", TWO, [(1, "bn", ONE)]),
    "not by webhook configurations that come and go": (
        "",
        ONE,
        [(1, "o", ONE), (1, "", ONE), (1, "bo", ONE), (1, "", ONE)],
    ),
}
"""What webhooks trust at first, the leaf that is offered then, and which is served so many seconds later."""


@pytest.mark.parametrize(("bundles", "leaf", "steps"), FOLLOWED.values(), ids=FOLLOWED)
def test_an_offered_leaf_is_served(bundles: str, leaf: Leaf, steps: list[tuple[int, str, Leaf]]) -> None:
    serving = serving_one(bundles)
    serving.offer(leaf)
    for seconds, held, served in steps:
        assert observed(serving, seconds, held) == (served, None), seconds


def test_the_trust_delay_counts_for_the_bundles_and_not_for_the_leaf() -> None:
    serving = serving_one("o")
    observed(serving, 1, "b")
    serving.offer(TWO)
    assert observed(serving, 61, "b") == (TWO, None)


def test_an_expired_leaf_gives_way_to_one_that_nobody_trusts_yet_but_the_replica_is_not_ready() -> None:
    serving = serving_one("o")
    serving.offer(TWO)
    assert observed(serving, LATE - 1, "o") == (ONE, None)
    assert observed(serving, LATE, "o") == (TWO, NOBODY)
    assert observed(serving, LATE + 1, "b") == (TWO, None)


@pytest.mark.parametrize(("trust_delay", "times"), [(365 * DAY, [1, LATE]), (0 * DAY, [0])], ids=["long", "0"])
def test_a_leaf_waits_no_longer_than_the_trust_delay_and_the_end_of_the_leaf_in_use(
    trust_delay: timedelta, times: list[int]
) -> None:
    serving = offered(ONE, trust_delay)
    seen = [observed(serving, 0, "o")]
    serving.offer(TWO)
    seen += [observed(serving, seconds, "b") for seconds in times]
    assert seen == [(ONE, None)] * len(times) + [(TWO, None)]


def test_a_new_replica_whose_leaf_nobody_trusts_says_why_it_is_not_ready() -> None:
    serving = offered(TWO)
    assert observed(serving, 0, "bo") == (TWO, NOBODY)
    assert observed(serving, 1, "bb") == (TWO, None)


def test_a_replica_stays_ready_while_one_webhook_trusts_its_leaf_that_has_not_expired() -> None:
    serving = serving_one("oo")
    assert observed(serving, 1, "on") == (ONE, None)
    assert observed(serving, 1, "nn") == (ONE, NOBODY)
    assert observed(serving, 1, "on") == (ONE, None)
    assert observed(serving, LATE, "oo") == (ONE, EXPIRED)


USELESS = {
    "no certificate": Leaf(b"garbage", ONE.key),
    "the key of another": Leaf(ONE.chain, TWO.key),
    "another name": OLD.sign(["webhook.other.svc"], DAY, NOW),
    "one that has expired": OLD.sign(NAMES, HOUR, NOW - 2 * HOUR),
    "one that is not valid yet": OLD.sign(NAMES, DAY, NOW + 2 * HOUR),
    "one for clients": Issued("client", named("client")).leaf(),
}


@pytest.mark.parametrize("bundles", ["", "o"], ids=["no webhook configuration", "webhook configurations"])
@pytest.mark.parametrize("leaf", USELESS.values(), ids=USELESS)
def test_a_leaf_that_no_client_would_accept_is_never_served(leaf: Leaf, bundles: str) -> None:
    served, reason = observed(offered(leaf), 0, bundles)
    assert served is None
    assert reason
    serving = serving_one(bundles)
    serving.offer(leaf)
    assert observed(serving, 1, bundles) == (ONE, None)


def test_threads_see_one_leaf_or_the_other() -> None:
    serving = serving_one("b")
    with ThreadPoolExecutor(4) as pool:
        seen = [pool.submit(lambda: {serving.current() for _ in range(2000)}) for _ in range(4)]
        for leaf in (TWO, ONE) * 20:
            serving.offer(leaf)
            observed(serving, 1, "b")
    assert set().union(*(each.result() for each in seen)) <= {ONE, TWO}
    assert serving.current() == ONE
