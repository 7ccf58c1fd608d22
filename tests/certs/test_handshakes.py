"""Rotations seen by a real TLS client: OpenSSL agrees with us about trust."""

from datetime import UTC, datetime

from certs import Lifetimes, Serving, renewed, rotate, union
from tests.certs import build
from tests.certs.build import MINUTE, NAME, NAMES, SECOND

LIFETIMES = Lifetimes(9 * MINUTE, 2 * MINUTE, 30 * SECOND)
RECONCILE, LESS_THAN_AN_HOUR = 20 * SECOND, 130
"""OpenSSL uses the real clock. Ours is ahead of it by less than the hour by which certificates are valid early."""


def test_clients_that_trust_the_ca_bundle_accept_the_leaf_through_rotations() -> None:
    serving, begin = Serving(LIFETIMES.trust_delay, NAME), datetime.now(UTC)
    stored, leaf, configured = rotate(None, [], begin, LIFETIMES), None, b""
    ca_certificates, leaves = set(), set[bytes | None]()
    for now in (begin + number * RECONCILE for number in range(LESS_THAN_AN_HOUR)):
        bundles = [configured] if configured else []
        stored = rotate(stored, bundles, now, LIFETIMES)
        leaf = renewed(leaf, stored, NAMES, now, LIFETIMES)
        assert leaf
        serving.offer(leaf)
        serving.observe(bundles, now)
        served = serving.current()
        assert served
        new = union(configured, stored.bundle(now), now=now)
        for bundle in (*bundles, new):
            client = build.handshake(build.serving(served), build.trusting(bundle))
            leaves.add(client.getpeercert(binary_form=True))
        configured = new
        ca_certificates.add(stored.signing)
    assert len(ca_certificates) > 3
    assert len(leaves) > 10
