"""Others that issue certificates, as cert-manager and OpenShift's service CA write them."""

import base64
import json
from collections.abc import Mapping
from typing import ClassVar

from cryptography import x509

from tests.build import Object
from tests.e2e_chart.release import Release
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.e2e_rotation.load import Load
from tests.localcluster import LocalCluster
from tests.localcluster.credentials import CA, Identity
from tests.localcluster.installation import apply
from tests.workloads import definition
from webhook.objects import at

CERTIFICATE = f"/apis/cert-manager.io/v1/namespaces/{NAMESPACE}/certificates/{NAME}"
SERVICE_CA = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{NAME}-service-ca"
_OPENSHIFT = "service.beta.openshift.io"


class CertManager:
    """Answers the Certificate of a release, by an issuer of the kind CA."""

    VALUES: ClassVar[Object] = {"source": "certManager", "issuerRef": {"name": "ours"}}

    @staticmethod
    def prepare(cluster: LocalCluster) -> None:
        """Make the kind Certificate known, with any content."""
        apply(cluster, [definition("cert-manager.io", "v1", "certificates", "Certificate", "Namespaced")])
        cluster.kubectl("wait", "--for=condition=Established", "crd/certificates.cert-manager.io")

    def __init__(self, release: Release) -> None:
        """Use a CA of its own."""
        self.release = release
        self._ca = CA("issuer 1")
        self._number = 1

    def issue(self) -> Identity:
        """Write a new leaf, with its key and the CA, into the Secret that the Certificate names."""
        spec = at(self.release.read(CERTIFICATE), "spec")
        leaf = self._ca.server(NAME, spec["dnsNames"])
        files = {"tls.crt": leaf.certificate, "tls.key": leaf.key, "ca.crt": self._ca.pem}
        _write(self.release, spec["secretName"], files)
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

    @staticmethod
    def prepare(cluster: LocalCluster) -> None:
        """Every kind that it answers is known."""

    def __init__(self, release: Release) -> None:
        """Use a CA of its own."""
        self.release = release
        self._ca_certificates = [CA("openshift-service-serving-signer 1")]

    def issue(self) -> Identity:
        """Write a new leaf into the Secret that the Service names."""
        service = self.release.read(f"/api/v1/namespaces/{NAMESPACE}/services/{NAME}")
        secret = at(service, "metadata", "annotations", f"{_OPENSHIFT}/serving-cert-secret-name")
        host = f"{NAME}.{NAMESPACE}.svc"
        leaf = self._ca_certificates[-1].server(host, [host, f"{host}.cluster.local"])
        _write(self.release, secret, {"tls.crt": leaf.certificate, "tls.key": leaf.key})
        return leaf

    def publish_ca(self) -> None:
        """Write all CAs into the ConfigMap that asks for them."""
        annotations = at(self.release.read(SERVICE_CA), "metadata", "annotations")
        assert annotations[f"{_OPENSHIFT}/inject-cabundle"] == "true"
        bundle = b"".join(ca.pem for ca in self._ca_certificates)
        self.release.edit(SERVICE_CA, {"data": {"service-ca.crt": bundle.decode()}})

    def change_ca(self) -> None:
        """Let another CA sign what is issued from now on; the old one stays in what is injected."""
        self._ca_certificates.append(CA(f"openshift-service-serving-signer {len(self._ca_certificates) + 1}"))


def _write(release: Release, name: str, files: Mapping[str, bytes]) -> None:
    data = {key: base64.b64encode(content).decode() for key, content in files.items()}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "data": data,
    }
    release.cluster.kubectl("apply", "--server-side", "--field-manager=issuer", "-f", "-", stdin=json.dumps(secret))


def are_mounted(issued: Identity, release: Release) -> bool:
    """Say whether every pod has what was issued among its files."""
    found = [release.nodes.folder(name, "tls", NAMESPACE) / "tls.crt" for name in release.ready_pods]
    return all(path.read_bytes() == issued.certificate for path in found)


def await_served(load: Load, issued: Identity) -> None:
    """Return when both replicas serve what was issued."""
    leaf = x509.load_pem_x509_certificate(issued.certificate)
    load.await_served("new leaf from both replicas", lambda served: [*served.values()] == [leaf] * 2)
