"""Any bytes in place of certificates: only CertificateError is raised."""

import ssl
from contextlib import suppress
from datetime import UTC, datetime

from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import CertificateError, Leaf, Serving, Stored, renewed, rotate, union
from certs.bundle import why_not_usable
from certs.pem import certificates
from tests.certs.build import DAY, HOUR, LIFETIMES, MINUTE, NAME, NAMES, NOW, first

thorough = settings(max_examples=300)

STORED = rotate(first(), [first().bundle(NOW)], NOW + 250 * DAY, LIFETIMES)
assert STORED.signing
DATA = {**STORED.to_data(), "trusted.crt": first().bundle(NOW), "next.trusted-since": NOW.isoformat().encode()}
LEAF = STORED.signing.sign(NAMES, DAY, NOW)
DER = [each.public_bytes(Encoding.DER) for each in certificates(STORED.bundle(NOW) + LEAF.chain)]
SAMPLES = [*DATA.values(), LEAF.chain, LEAF.key, STORED.bundle(NOW), b""]
times = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@st.composite
def damaged(draw: st.DrawFn, samples: list[bytes] = SAMPLES) -> bytes:
    """Return one of the samples with a few bytes replaced, cut out or put in, or any bytes at all."""
    content = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(content)


corrupt_certificates = damaged(DER).map(lambda der: ssl.DER_cert_to_PEM_cert(der).encode())
"""PEM that is well formed around a certificate that is not."""
anything = damaged() | corrupt_certificates | st.binary(max_size=50)


@thorough
@given(
    data=st.fixed_dictionaries({}, optional={name: st.just(value) | anything for name, value in DATA.items()}),
    now=times,
)
def test_a_secret_with_any_content_is_rejected_or_usable(data: dict[str, bytes], now: datetime) -> None:
    with suppress(CertificateError):
        stored = Stored.from_data(data)
        assert Stored.from_data(stored.to_data()) == stored
        rotated = rotate(stored, [stored.bundle(now), data.get("trusted.crt", b"")], now, LIFETIMES)
        assert rotate(rotated, [], now, LIFETIMES).signing
        renewed(None, rotated, NAMES, now, LIFETIMES)


@thorough
@given(bundles=st.lists(anything, max_size=3), now=times)
def test_joining_any_bundles_again_changes_nothing(bundles: list[bytes], now: datetime) -> None:
    joined = union(*bundles, now=now)
    assert union(joined, joined, now=now) == joined
    assert union(*bundles, joined, now=now) == joined
    assert len(certificates(joined)) == joined.count(b"BEGIN")


@thorough
@given(chain=anything, key=st.just(LEAF.key) | anything, bundles=st.lists(anything, max_size=3), now=times)
def test_a_replica_serves_a_usable_leaf_or_none_for_any_offer_and_ca_bundles(
    chain: bytes, key: bytes, bundles: list[bytes], now: datetime
) -> None:
    serving = Serving(MINUTE, NAME)
    serving.offer(Leaf(chain, key))
    for later in (0 * HOUR, HOUR):
        serving.observe(bundles, NOW + later)
    serving.observe(bundles, now)
    served = serving.current()
    assert (served is None) <= (serving.why_not() is not None)
    assert served is None or why_not_usable(served, NAME, NOW) is None or why_not_usable(served, NAME, now) is None


@thorough
@given(stored=st.sampled_from([None, first(), STORED]), configured=st.lists(anything, max_size=3), now=times)
def test_a_second_rotation_changes_nothing_for_any_ca_bundles(
    stored: Stored | None, configured: list[bytes], now: datetime
) -> None:
    once = rotate(stored, configured, now, LIFETIMES)
    assert rotate(once, configured, now, LIFETIMES) == once
    assert Stored.from_data(once.to_data()) == once
