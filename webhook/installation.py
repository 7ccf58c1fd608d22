"""The webhook's own installation: one frozen struct from one YAML file, and the pod that it runs in.

The chart writes the file. Unlike the settings it does not change while the process runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from certs import Lifetimes
from webhook.objects import NAME
from webhook.structs import Duration, FieldError, File, Name, Names, Part, Time

_ObjectName = Annotated[str, Meta(pattern=rf"^{NAME}\Z", description="the name of a Kubernetes object")]
_Port = Annotated[int, Meta(ge=1, le=65535, description="a port from 1 to 65535")]
_Path = Annotated[str, Meta(description="the path of a file")]
_SelectorKey = Annotated[str, Meta(pattern=r"^match(Labels|Expressions)\Z")]


class InstallationError(FieldError):
    """The installation cannot be used; the message names the field and says what is allowed."""


class Service(Part, frozen=True):
    """The Service by which API servers reach the replicas."""

    name: _ObjectName
    port: _Port = 443


class Certificates(Part, frozen=True):
    """Where the serving certificate comes from."""

    source: Literal["selfSigned", "files"] = "selfSigned"
    """Our own CA, or files that something else keeps up to date: cert-manager, OpenShift's service CA."""
    secret: _ObjectName = ""
    """selfSigned: the Secret that holds the CA."""
    ca_lifetime: Time = Duration(days=365)
    """selfSigned: how long a CA lasts."""
    leaf_lifetime: Time = Duration(days=7)
    """selfSigned: how long a replica's certificate lasts."""
    trust_delay: Time = Duration(seconds=60)
    """How long a new certificate must have been trusted before it is served, and a new CA before it signs."""
    cert_file: _Path = ""
    """files: the certificate chain, PEM."""
    key_file: _Path = ""
    """files: its key, PEM."""
    ca_file: _Path = ""
    """files: the CAs by which API servers are to verify it, PEM."""

    def __post_init__(self) -> None:
        """Raise ValueError where a source lacks what it needs, and for lifetimes that do not fit."""
        needs = {"secret": self.secret}
        if self.source == "files":
            needs = {"certFile": self.cert_file, "keyFile": self.key_file, "caFile": self.ca_file}
        for name, value in needs.items():
            if not value:
                raise ValueError(f"{name} must be set where source is {self.source}")
        self.lifetimes()

    def lifetimes(self) -> Lifetimes:
        """Return the lifetimes of our own CA and leaf certificate; raises ValueError where they do not fit."""
        return Lifetimes(self.ca_lifetime, self.leaf_lifetime, self.trust_delay)


class Tls(Part, frozen=True):
    """The TLS that clients must use."""

    min_version: Literal["1.2", "1.3"] = "1.2"


class ClientAuthentication(Part, frozen=True):
    """Which clients are served."""

    ca_file: _Path = ""
    """Only clients with a certificate of these CAs; empty serves all."""
    names: Names = ()
    """Of those, only clients whose certificate has one of these common names; none: all."""


class Installation(File, frozen=True):
    """One release of the webhook in one cluster."""

    about: ClassVar[str] = "installation"
    error: ClassVar[type[FieldError]] = InstallationError

    namespace: _ObjectName
    service: Service
    owner: _ObjectName
    """The ClusterRole of the release that owns the webhook configurations: they are deleted with it."""
    lease: _ObjectName
    """The Lease by which the replicas elect a leader."""
    pods: Name
    """The label selector of the replicas' pods."""
    certificates: Certificates
    namespace_selector: Annotated[
        Mapping[_SelectorKey, Any], Meta(description="a label selector with matchLabels and matchExpressions")
    ] = {}
    """Of the namespaces whose VMs are evaluated; empty: all. The API server validates what is in it."""
    tls: Tls = Tls()
    client_authentication: ClientAuthentication = ClientAuthentication()


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
