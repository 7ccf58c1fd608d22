"""Rotations seen by a real TLS client: OpenSSL agrees with us about trust."""

import ssl
from datetime import UTC, datetime

import pytest

from certs import Leaf, Lifetimes, Serving, renewed, rotate, union
from tests.certs import build
from tests.certs.build import MINUTE, NAME, NAMES, SECOND

LIFETIMES = Lifetimes(9 * MINUTE, 2 * MINUTE, 30 * SECOND)
RECONCILE, LESS_THAN_AN_HOUR = 20 * SECOND, 130
"""OpenSSL uses the real clock. Ours is ahead of it by less than the hour by which certificates are valid early."""


def shown(serving: Serving, bundle: bytes, name: str = NAME) -> bytes | None:
    """Return the certificate that a client who trusts this bundle is shown; raises ssl.SSLError."""
    leaf = serving.current()
    assert leaf
    return build.handshake(build.serving(leaf), build.trusting(bundle), name).getpeercert(binary_form=True)


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
        leaves.update(shown(serving, bundle) for bundle in bundles)
        configured = union(configured, stored.bundle(now), now=now)
        leaves.add(shown(serving, configured))
        ca_certificates.add(stored.signing)
    assert len(ca_certificates) > 3
    assert len(leaves) > 10


def test_clients_that_trust_another_ca_or_call_another_name_reject_the_leaf() -> None:
    now, serving = datetime.now(UTC), Serving(LIFETIMES.trust_delay, NAME)
    stored, other = (rotate(None, [], now, LIFETIMES) for _ in range(2))
    leaf = renewed(None, stored, NAMES, now, LIFETIMES)
    assert isinstance(leaf, Leaf)
    serving.offer(leaf)
    serving.observe([], now)
    for bundle, name in ((other.bundle(now), NAME), (stored.bundle(now), "other.svc")):
        with pytest.raises(ssl.SSLCertVerificationError):
            shown(serving, bundle, name)
    assert shown(serving, stored.bundle(now)) == ssl.PEM_cert_to_DER_cert(leaf.chain.decode())
