"""Our CAs from one to the next: trust first, sign later.

A CA is replaced after two thirds of its lifetime. Its successor is trusted by every webhook configuration for a
while before it signs anything, and the old one is trusted until it ends, so that no leaf in use is ever unknown. All
here is a function of what is stored, what is registered and the time: a replica that takes over, or one that slept,
goes on where the last one was.
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
"""Certificates count whole seconds: a shorter one might be due for renewal when it is made."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a CA and a leaf live, and how long a CA is trusted before it signs.

    Raises ValueError for what cannot be kept: a successor is made when a third of the CA's lifetime is left, and
    must have been trusted for the whole ``trust_delay`` within that.
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

    signing: signs leaves; None while nothing that is trusted can, since the Secret was lost.
    next: its successor, which signs nothing yet.
    trusted: certificates of those before, until they end, PEM.
    next_trusted_since: since when every webhook configuration has been seen to trust ``next``.
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
        """Return the data of the Secret, not in base64 yet; the same for the same content."""
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
        """Return what ``to_data`` was made of; raises CertificateError, which names the entry, for anything else."""
        signing, following = _ca(data, "signing"), _ca(data, "next")
        if not signing and not following:
            raise CertificateError("there is neither signing.crt nor next.crt")
        return cls(signing, following, data.get("trusted.crt", b""), _since(data))


def rotate(stored: Stored | None, configured: Collection[bytes], now: datetime, lifetimes: Lifetimes) -> Stored:
    """Return what must be stored now, given the bundles of every registered webhook; the same where nothing is due.

    ``stored`` is None where there was nothing usable: then what the webhook configurations trust stays trusted, since replicas
    may serve leaves that are signed by it, and a new CA must be trusted first like any other. Where nothing is
    registered nobody calls, and a new one signs at once; the same where nothing older is left that could be trusted.
    Without new keys the result is the same for the same input, and a second time at the same ``now`` changes nothing.
    """
    stored = _without_invalid(stored or Stored(None, trusted=union(*configured, now=now)), now)
    while (following := _step(stored, configured, now, lifetimes)) != stored:
        stored = following
    return stored


def renewed(
    leaf: Leaf | None, stored: Stored, names: Iterable[str], now: datetime, lifetimes: Lifetimes
) -> Leaf | None:
    """Return the leaf that a replica must offer: the one it has while that is good, else one newly signed.

    A leaf is renewed after two thirds of its lifetime, when the CA changed, and when it is not valid at all, as
    after a clock that jumped. None where there is none and nothing may sign yet.
    """
    signing = stored.signing
    if not signing or not _is_usable(signing, now) or (leaf and _is_good(leaf, signing, now)):
        return leaf
    return signing.sign(names, lifetimes.leaf, now)


def _is_good(leaf: Leaf, signing: CA, now: datetime) -> bool:
    certificate = leaf.parsed()[0]
    if why_not_valid(certificate, now) or not signing.signed(certificate):
        return False
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now < renewal(begin, end) or end >= signing.not_after


def _without_invalid(stored: Stored, now: datetime) -> Stored:
    """Leave out what has ended, and what begins in the future, since it was made by a clock that jumped.

    What a CA that is left out may have signed stays trusted.
    """
    signing, following = (each if each and _is_usable(each, now) else None for each in (stored.signing, stored.next))
    trusted = union(stored.trusted, *([stored.signing.certificate] if stored.signing and not signing else []), now=now)
    return Stored(signing, following, trusted, stored.next_trusted_since if following else None)


def _step(stored: Stored, configured: Collection[bytes], now: datetime, lifetimes: Lifetimes) -> Stored:
    """Make the successor, count how long it has been trusted, or let it sign."""
    if stored.next is None:
        if stored.signing and now < renewal(stored.signing.not_before, stored.signing.not_after):
            return stored
        return replace(stored, next=CA.make(lifetimes.ca, now))
    if not configured or not (stored.signing or stored.trusted):
        return _promoted(stored, now)
    if not _is_in_all(stored.next, configured):
        return replace(stored, next_trusted_since=None)
    since = min(stored.next_trusted_since or now, now)
    if now - since >= lifetimes.trust_delay:
        return _promoted(stored, now)
    return replace(stored, next_trusted_since=since)


def _promoted(stored: Stored, now: datetime) -> Stored:
    old = [stored.signing.certificate] if stored.signing else []
    return Stored(stored.next, None, union(stored.trusted, *old, now=now))


def _is_usable(ca: CA, now: datetime) -> bool:
    return ca.not_before <= now < ca.not_after


def _is_in_all(ca: CA, bundles: Collection[bytes]) -> bool:
    own = certificates(ca.certificate)[0]
    return all(own in certificates(bundle) for bundle in bundles)


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
        raise CertificateError("next.trusted-since: it is no time") from error
    if since.tzinfo is None:
        raise CertificateError("next.trusted-since: it names no time zone")
    return since
