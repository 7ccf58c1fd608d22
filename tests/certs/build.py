"""A fixed time, certificates made without the code under test, and handshakes in memory."""

import ssl
from datetime import UTC, datetime, timedelta
from inspect import signature

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import Leaf, Lifetimes, Stored, rotate
from certs.bundle import why_no_chain, why_not_usable
from certs.pem import certificates

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
NAME = "webhook.migratability.svc"
NAMES = ["webhook", "webhook.migratability", NAME, "127.0.0.1"]
LIFETIMES = Lifetimes()
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
P256 = ec.SECP256R1()


class Issued:
    """A certificate and its key, made without the code under test."""

    def __init__(
        self,
        name: str,
        *extensions: x509.ExtensionType,
        issuer: "Issued | None" = None,
        key: Key | None = None,
        begin: datetime = NOW - HOUR,
        end: datetime = NOW + 30 * DAY,
    ) -> None:
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.private = key or ec.generate_private_key(P256)
        signer = issuer or self
        builder = (
            x509.CertificateBuilder(extensions=[x509.Extension(each.oid, False, each) for each in extensions])
            .subject_name(self.name)
            .issuer_name(signer.name)
            .public_key(self.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )
        algorithm = None if isinstance(signer.private, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        self.certificate = builder.sign(signer.private, algorithm)

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key(self) -> bytes:
        """The private key, in the form that OpenSSL's older commands and Go write."""
        shape = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
        return self.private.private_bytes(*shape, serialization.NoEncryption())

    def leaf(self, *chain: "Issued") -> Leaf:
        """Return it as something to serve, with the certificates between it and its root."""
        return Leaf(b"".join([self.pem, *(each.pem for each in chain)]), self.key)


CA_CERTIFICATE = x509.BasicConstraints(ca=True, path_length=None)
USAGES = tuple(signature(x509.KeyUsage).parameters)


def named(*names: str) -> x509.SubjectAlternativeName:
    """Return the extension with DNS names."""
    return x509.SubjectAlternativeName([x509.DNSName(name) for name in names])


def usage(**allowed: bool) -> x509.KeyUsage:
    """Return the extension that allows signing of certificates, by default."""
    return x509.KeyUsage(**{**dict.fromkeys(USAGES, False), "key_cert_sign": True, **allowed})


FOR_CLIENTS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])


def issued_today(name: str, *extensions: x509.ExtensionType, issuer: Issued | None = None) -> Issued:
    """Return a certificate that is valid by the real clock, which OpenSSL looks at."""
    now = datetime.now(UTC)
    return Issued(name, *extensions, issuer=issuer, begin=now - HOUR, end=now + DAY)


def certificate(leaf: Leaf) -> x509.Certificate:
    """Return the first certificate of a leaf."""
    return x509.load_pem_x509_certificate(leaf.chain)


def why_not_trusted(bundle: bytes, leaf: Leaf, name: str, now: datetime) -> str | None:
    """Return why a client that trusts this bundle rejects the leaf for this name, or None."""
    return why_not_usable(leaf, name, now) or why_no_chain(certificates(bundle), leaf, name, now)


def first(now: datetime = NOW, lifetimes: Lifetimes = LIFETIMES) -> Stored:
    """Return what is stored after an installation."""
    return rotate(None, [], now, lifetimes)


def serving(leaf: Leaf) -> ssl.SSLContext:
    """Return a server's context with a leaf."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.load_into(context)
    return context


def trusting(bundle: bytes) -> ssl.SSLContext:
    """Return a client's context that trusts a bundle and nothing else."""
    return ssl.create_default_context(cadata=bundle.decode())


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str = NAME) -> ssl.SSLObject:
    """Let the two shake hands in memory and return the client's side.

    Raises ssl.SSLError where the client does not trust the server, or the server does not accept the client.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    waiting = list(sides)
    while waiting:
        for side in tuple(waiting):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(side)
    return sides[0]
