"""Certificates from files that another program renews: cert-manager, or OpenShift's service CA."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

from certs.leaf import Leaf
from certs.pem import CertificateError, certificates, read_pem


class Offer(NamedTuple):
    """A leaf, and the bundle of CAs that clients must trust to accept it, PEM."""

    leaf: Leaf
    bundle: bytes


class Files:
    """A leaf and a bundle in three files, which can change at any time.

    cert-manager writes all three into one Secret (tls.crt, tls.key, ca.crt); OpenShift writes tls.crt and tls.key into
    a Secret and the bundle into a ConfigMap (service-ca.crt), so the two may change at different times. While the
    pair or the bundle is not valid, the last valid one stays in use.
    """

    def __init__(self, certificate: Path, key: Path, ca_certificates: Path) -> None:
        """Read nothing yet."""
        self._pair, self._ca_file = (certificate, key), ca_certificates
        self._seen: list[bytes | str] = []
        self._leaf: Leaf | None = None
        self._bundle: bytes | None = None
        self._complaints: list[str] = []

    def current(self) -> Offer | None:
        """Return the content of the files, or the last that was valid; None until there is some.

        Bytes are compared before anything is parsed.
        """
        seen = [_content(path) for path in (*self._pair, self._ca_file)]
        if seen != self._seen:
            self._seen, self._complaints = seen, []
            self._follow(*seen)
        return Offer(self._leaf, self._bundle) if self._leaf and self._bundle else None

    def why_not(self) -> str | None:
        """Return why the content that ``current`` read last is not used, or None."""
        return "; ".join(self._complaints) or None

    def _follow(self, chain: bytes | str, key: bytes | str, ca_certificates: bytes | str) -> None:
        self._complaints += [reason for reason in (chain, key, ca_certificates) if isinstance(reason, str)]
        if isinstance(chain, bytes) and isinstance(key, bytes):
            try:
                self._leaf = _checked(Leaf(chain, key))
            except CertificateError as error:
                self._complaints.append(f"{' and '.join(map(str, self._pair))}: {error}")
        if isinstance(ca_certificates, bytes):
            if certificates(ca_certificates):
                self._bundle = ca_certificates
            else:
                self._complaints.append(f"{self._ca_file}: there is no certificate in PEM")


def _content(path: Path) -> bytes | str:
    """The content, or why it cannot be read."""
    try:
        return read_pem(path)
    except CertificateError as error:
        return str(error)


def _checked(leaf: Leaf) -> Leaf:
    """OpenSSL serves it, so it decides: it rejects short keys, for example."""
    leaf.parsed()
    leaf.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    return leaf
