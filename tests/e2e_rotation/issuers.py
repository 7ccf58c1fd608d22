"""Others that issue certificates, as cert-manager and OpenShift's service CA write them."""

import base64
from collections.abc import Mapping
from typing import ClassVar

from tests.build import Object, of_kind
from tests.clusters import define
from tests.e2e_chart.release import Release
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.eventually import eventually
from tests.localcluster.credentials import CA, Identity
from tests.localcluster.installation import apply
from webhook.objects import at

_CERTIFICATE = f"/apis/cert-manager.io/v1/namespaces/{NAMESPACE}/certificates/{NAME}"
_SERVICE_CA = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{NAME}-service-ca"
_OPENSHIFT = "service.beta.openshift.io"


class CertManager:
    """Answers the Certificate of a release, by an issuer of the kind CA."""

    VALUES: ClassVar[Object] = {"source": "certManager", "issuerRef": {"name": "ours"}}

    def __init__(self, release: Release) -> None:
        """Use a CA of its own; make the kind Certificate known, with any content."""
        self.release, self._number = release, 0
        self.change_ca()
        define(release.cluster, "cert-manager.io", "v1", "certificates", "Certificate", "Namespaced")

    def issue(self) -> Identity:
        """Write a new leaf, with its key and the CA, into the Secret that the Certificate names, once it is there."""
        spec = eventually("the Certificate", lambda: self.release.read(_CERTIFICATE))["spec"]
        leaf = self._ca.server(NAME, spec["dnsNames"])
        _write(self.release, spec["secretName"], leaf, {"ca.crt": self._ca.pem})
        return leaf

    def publish_ca(self) -> None:
        """They come with each leaf."""

    def change_ca(self) -> None:
        """Let another CA sign what is issued from now on; cert-manager gives ca.crt of that alone."""
        self._number += 1
        self._ca = CA(f"issuer {self._number}")


class ServiceCa:
    """Answers the annotations of a release's Service and ConfigMap, as OpenShift's service-ca-operator."""

    VALUES: ClassVar[Object] = {"source": "serviceCA"}

    def __init__(self, release: Release) -> None:
        """Use a CA of its own."""
        self.release = release
        self._ca_certificates: list[CA] = []
        self.change_ca()

    def issue(self) -> Identity:
        """Write a new leaf into the Secret that the Service names."""
        service = self.release.read(f"/api/v1/namespaces/{NAMESPACE}/services/{NAME}")
        host = f"{NAME}.{NAMESPACE}.svc"
        leaf = self._ca_certificates[-1].server(host, [host, f"{host}.cluster.local"])
        _write(self.release, at(service, "metadata", "annotations", f"{_OPENSHIFT}/serving-cert-secret-name"), leaf)
        return leaf

    def publish_ca(self) -> None:
        """Write all CAs into the ConfigMap that asks for them."""
        annotations = at(self.release.read(_SERVICE_CA), "metadata", "annotations")
        assert annotations[f"{_OPENSHIFT}/inject-cabundle"] == "true"
        bundle = b"".join(ca.pem for ca in self._ca_certificates)
        self.release.edit(_SERVICE_CA, {"data": {"service-ca.crt": bundle.decode()}})

    def change_ca(self) -> None:
        """Let another CA sign what is issued from now on; the old one stays in what is injected."""
        self._ca_certificates.append(CA(f"openshift-service-serving-signer {len(self._ca_certificates) + 1}"))


def _write(release: Release, name: str, leaf: Identity, more: Mapping[str, bytes] | None = None) -> None:
    data = encoded({"tls.crt": leaf.certificate, "tls.key": leaf.key, **(more or {})})
    apply(release.cluster, [of_kind("v1", "Secret", name, NAMESPACE, type="kubernetes.io/tls", data=data)])


def encoded(data: Mapping[str, bytes]) -> Object:
    """Return data as Secrets hold it."""
    return {key: base64.b64encode(content).decode() for key, content in data.items()}
