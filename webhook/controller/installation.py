"""What the webhook must know of its own installation: one frozen tree from one YAML file, and the pod it runs in.

The chart writes the file beside the settings. Unlike those it does not change while we run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from certs import Lifetimes
from webhook import fields
from webhook.fields import FieldError, Reader, shown
from webhook.objects import Object, can_be_name

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[dhms])+")
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_LARGEST_PORT = 65535
_LONGEST_SECONDS = 100 * 365 * 86400


class InstallationError(FieldError):
    """The installation cannot be used; the message names the field and says what is allowed."""


@dataclass(frozen=True, slots=True)
class Service:
    """The Service by which API servers reach the replicas."""

    name: str
    port: int = 443


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the serving certificate comes from."""

    source: Literal["own", "files"] = "own"
    """Our own authority, or files that somebody else keeps up to date: cert-manager, OpenShift's service CA."""
    secret: str = ""
    """Own: the Secret that holds the authority."""
    caLifetime: timedelta = timedelta(days=365)
    """Own: how long an authority lasts."""
    leafLifetime: timedelta = timedelta(days=7)
    """Own: how long a replica's certificate lasts."""
    settle: timedelta = timedelta(seconds=60)
    """How long a new certificate must have been trusted before it is served, and a new authority before it signs."""
    certFile: Path | None = None
    """Files: the certificate chain, PEM."""
    keyFile: Path | None = None
    """Files: its key, PEM."""
    caFile: Path | None = None
    """Files: the authorities by which API servers are to verify it, PEM."""

    def lifetimes(self) -> Lifetimes:
        """Return how long our own authority and leaf live; raises ValueError for what cannot be kept."""
        return Lifetimes(self.caLifetime, self.leafLifetime, self.settle)


@dataclass(frozen=True, slots=True)
class Tls:
    """What clients must speak."""

    minVersion: Literal["1.2", "1.3"] = "1.2"


@dataclass(frozen=True, slots=True)
class ClientCertificates:
    """Whose clients are served."""

    caFile: Path | None = None
    """Only clients with a certificate of these authorities; None serves all."""
    names: tuple[str, ...] = ()
    """Of those, only clients whose certificate has one of these common names; none: all."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One release of the webhook in one cluster."""

    namespace: str
    service: Service
    owner: str
    """The ClusterRole of the release that owns the registrations: with it they go."""
    lease: str
    """The Lease by which the replicas elect a leader."""
    pods: str
    """The label selector of the replicas' pods."""
    namespaceSelector: Object = field(default_factory=dict)
    """The LabelSelector of the namespaces whose machines are judged; empty: all."""
    certificates: Certificates = Certificates()
    tls: Tls = Tls()
    clientCertificates: ClientCertificates = ClientCertificates()

    @classmethod
    def load(cls, path: Path) -> Installation:
        """Read a YAML file; raises InstallationError where it cannot be read or holds a wrong value."""
        try:
            return fields.load(path, cls.parse)
        except FieldError as error:
            raise InstallationError(str(error)) from None

    @classmethod
    def parse(cls, tree: object) -> Installation:
        """Return the installation that a parsed YAML document describes; raises InstallationError."""
        try:
            found = fields.part(cls, "installation", tree, _READERS, required=_REQUIRED, root=True)
            _check(found.certificates)
        except FieldError as error:
            raise InstallationError(str(error)) from None
        return found


@dataclass(frozen=True, slots=True)
class Replica:
    """The pod that a process runs in."""

    name: str
    address: str

    @classmethod
    def of(cls, environment: Mapping[str, str], installation: Installation) -> Replica:
        """Return the pod that the downward API describes in POD_NAME, POD_NAMESPACE and POD_IP.

        Raises InstallationError where one is not set, or where the pod is not in the installation's namespace.
        """
        for variable in ("POD_NAME", "POD_NAMESPACE", "POD_IP"):
            if not environment.get(variable):
                raise InstallationError(f"the environment variable {variable} is not set; let the downward API set it")
        namespace = environment["POD_NAMESPACE"]
        if namespace != installation.namespace:
            raise InstallationError(f"namespace: is {installation.namespace}, but this pod is in {namespace}")
        return cls(environment["POD_NAME"], environment["POD_IP"])


def _check(certificates: Certificates) -> None:
    wanted = ("secret",) if certificates.source == "own" else ("certFile", "keyFile", "caFile")
    for key in wanted:
        if not getattr(certificates, key):
            raise FieldError(f"certificates.{key}: must be set where certificates.source is {certificates.source}")
    try:
        certificates.lifetimes()
    except ValueError as error:
        raise FieldError(f"certificates: {error}") from error


def _object_name(value: object, at: str) -> str:
    if not isinstance(value, str) or not can_be_name(value):
        raise FieldError(f"{at}: must be the name of a Kubernetes object, not {shown(value)}")
    return value


def _port(value: object, at: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _LARGEST_PORT:
        raise FieldError(f"{at}: must be a port from 1 to {_LARGEST_PORT}, not {shown(value)}")
    return value


def _duration(value: object, at: str) -> timedelta:
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise FieldError(f"{at}: must be a duration like 8760h, 7d or 1h30m, not {shown(value)}")
    parts = re.findall(r"([\d.]+)([dhms])", value)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise FieldError(f"{at}: must be longer than nothing and at most 100 years, not {shown(value)}")
    return timedelta(seconds=seconds)


def _path(value: object, at: str) -> Path | None:
    """An empty path is none, since a chart writes it so."""
    if not isinstance(value, str):
        raise FieldError(f"{at}: must be the path of a file, not {shown(value)}")
    return Path(value) if value else None


def _label_selector(value: object, at: str) -> Object:
    """The API server judges what is in it."""
    known = ("matchLabels", "matchExpressions")
    if not isinstance(value, Mapping) or not set(value) <= set(known):
        raise FieldError(f"{at}: must be a label selector with {' and '.join(known)}, not {shown(value)}")
    return value


_SERVICE: Mapping[str, Reader] = {"name": _object_name, "port": _port}
_CERTIFICATES: Mapping[str, Reader] = {
    "source": fields.one_of("own", "files"),
    "secret": _object_name,
    "caLifetime": _duration,
    "leafLifetime": _duration,
    "settle": _duration,
    "certFile": _path,
    "keyFile": _path,
    "caFile": _path,
}
_TLS: Mapping[str, Reader] = {"minVersion": fields.one_of("1.2", "1.3")}
_CLIENTS: Mapping[str, Reader] = {"caFile": _path, "names": fields.names}
_REQUIRED = ("namespace", "service", "owner", "lease", "pods", "certificates")
_READERS: Mapping[str, Reader] = {
    "namespace": _object_name,
    "service": lambda value, at: fields.part(Service, at, value, _SERVICE, required=("name",)),
    "owner": _object_name,
    "lease": _object_name,
    "pods": fields.name,
    "namespaceSelector": _label_selector,
    "certificates": lambda value, at: fields.part(Certificates, at, value, _CERTIFICATES),
    "tls": lambda value, at: fields.part(Tls, at, value, _TLS),
    "clientCertificates": lambda value, at: fields.part(ClientCertificates, at, value, _CLIENTS),
}
