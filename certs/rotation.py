"""Rotation of the self-signed CA: trust first, sign later.

A CA is replaced after two thirds of its lifetime. Every webhook configuration must trust its successor for the trust
delay before it signs, and trusts the old one until it expires, so that every leaf in use is trusted. All functions
depend only on the Secret, the webhook configurations and the time: any replica can continue a rotation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from certs.bundle import union
from certs.ca import CA, renewal
from certs.leaf import Leaf
from certs.pem import CertificateError, certificates, why_not_valid

_SHORTEST = timedelta(seconds=3)
"""Certificates count whole seconds: a shorter lifetime could be due for renewal at once."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The lifetimes of CA and leaf, and for how long a CA must be trusted before it signs.

    Raises ValueError for a ``trust_delay`` of a third of the CA's lifetime or more, since the successor is made when a
    third is left.
    """

    ca: timedelta = timedelta(days=365)
    leaf: timedelta = timedelta(days=7)
    trust_delay: timedelta = timedelta(seconds=60)

    def __post_init__(self) -> None:
        if min(self.ca, self.leaf) < _SHORTEST:
            raise ValueError("the lifetimes of CA and leaf must be at least 3 seconds")
        if not timedelta(0) <= self.trust_delay < self.ca / 3:
            raise ValueError("the trust delay must be less than a third of the CA's lifetime")


@dataclass(frozen=True, slots=True)
class Stored:
    """What the Secret holds.

    signing: signs leaves; None after the Secret was lost, until ``next`` is trusted.
    next: its successor, which signs nothing yet.
    trusted: certificates of earlier CAs that have not expired, PEM.
    next_trusted_since: since when every webhook configuration trusts ``next``.
    """

    signing: CA | None
    next: CA | None = None
    trusted: bytes = b""
    next_trusted_since: datetime | None = None

    def bundle(self, now: datetime) -> bytes:
        """Return what every webhook configuration must trust."""
        ca_certificates = (self.signing, self.next)
        return union(*(each.certificate for each in ca_certificates if each), self.trusted, now=now)

    def to_data(self) -> dict[str, bytes]:
        """Return the data of the Secret, before base64."""
        data: dict[str, bytes] = {}
        for name, ca in (("signing", self.signing), ("next", self.next)):
            if ca:
                data |= {f"{name}.crt": ca.certificate, f"{name}.key": ca.key}
        if self.trusted:
            data["trusted.crt"] = self.trusted
        if self.next_trusted_since:
            data["next.trusted-since"] = self.next_trusted_since.isoformat().encode()
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, bytes]) -> Stored:
        """Return the inverse of ``to_data``; raises CertificateError, which names the entry, for anything else."""
        signing, following = _ca(data, "signing"), _ca(data, "next")
        if not signing and not following:
            raise CertificateError("there is neither signing.crt nor next.crt")
        return cls(signing, following, data.get("trusted.crt", b""), _since(data))


def rotate(stored: Stored | None, configured: Collection[bytes], now: datetime, lifetimes: Lifetimes) -> Stored:
    """Return what the Secret must hold now, given the caBundle of every webhook; ``stored`` itself if nothing is due.

    ``stored`` is None where the Secret holds nothing usable: then everything that the webhook configurations trust
    stays trusted, since replicas may serve leaves signed by it, and a new CA must be trusted before it signs. Without
    webhook configurations nobody calls, and the new CA signs at once, as it does where no older CA is trusted.
    A second call at the same ``now`` changes nothing.
    """
    stored = _without_invalid(stored or Stored(None, trusted=union(*configured, now=now)), now)
    while (following := _step(stored, configured, now, lifetimes)) != stored:
        stored = following
    return stored


def renewed(
    leaf: Leaf | None, stored: Stored, names: Iterable[str], now: datetime, lifetimes: Lifetimes
) -> Leaf | None:
    """Return the leaf that a replica must offer: its present ``leaf`` while that is good, else a new one.

    A leaf is renewed after two thirds of its lifetime, when the CA changed, and when it is not valid, as after a clock
    jump. None where there is none and no CA can sign.
    """
    signing = _usable(stored.signing, now)
    if not signing or (leaf and _is_good(leaf, signing, now)):
        return leaf
    return signing.sign(names, lifetimes.leaf, now)


def _is_good(leaf: Leaf, signing: CA, now: datetime) -> bool:
    certificate = leaf.parsed()[0]
    if why_not_valid(certificate, now) or not signing.signed(certificate):
        return False
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now < renewal(begin, end) or end >= signing.not_after


def _without_invalid(stored: Stored, now: datetime) -> Stored:
    """Leave out CAs that have expired, or begin in the future after a clock jump. What they signed stays trusted."""
    signing, following = _usable(stored.signing, now), _usable(stored.next, now)
    trusted = union(stored.trusted, *([stored.signing.certificate] if stored.signing and not signing else []), now=now)
    return Stored(signing, following, trusted, stored.next_trusted_since if following else None)


def _step(stored: Stored, configured: Collection[bytes], now: datetime, lifetimes: Lifetimes) -> Stored:
    if stored.next is None:
        if stored.signing and now < renewal(stored.signing.not_before, stored.signing.not_after):
            return stored
        return replace(stored, next=CA.make(lifetimes.ca, now))
    if not configured or not (stored.signing or stored.trusted):
        return _promoted(stored, now)
    successor = certificates(stored.next.certificate)[0]
    if not all(successor in certificates(bundle) for bundle in configured):
        return replace(stored, next_trusted_since=None)
    since = min(stored.next_trusted_since or now, now)
    if now - since >= lifetimes.trust_delay:
        return _promoted(stored, now)
    return replace(stored, next_trusted_since=since)


def _promoted(stored: Stored, now: datetime) -> Stored:
    old = [stored.signing.certificate] if stored.signing else []
    return Stored(stored.next, None, union(stored.trusted, *old, now=now))


def _usable(ca: CA | None, now: datetime) -> CA | None:
    return ca if ca and ca.not_before <= now < ca.not_after else None


def _ca(data: Mapping[str, bytes], name: str) -> CA | None:
    pair = tuple(data.get(f"{name}.{part}", b"") for part in ("crt", "key"))
    if not any(pair):
        return None
    try:
        return CA.parse(*pair)
    except CertificateError as error:
        raise CertificateError(f"{name}: {error}") from error


def _since(data: Mapping[str, bytes]) -> datetime | None:
    text = data.get("next.trusted-since")
    if not text:
        return None
    try:
        since = datetime.fromisoformat(text.decode())
    except ValueError as error:
        raise CertificateError("next.trusted-since: not a time") from error
    if since.tzinfo is None:
        raise CertificateError("next.trusted-since: no time zone")
    return since
