"""What may be changed by an ordinary upgrade, under load: how API servers are verified, and who issues certificates."""

import threading

import pytest

from tests.e2e_controller.permissions import NAMESPACE
from tests.e2e_controller.release import await_that
from tests.e2e_rotation.conftest import Site
from tests.e2e_rotation.issuers import CERTIFICATE, CertManager
from tests.localcluster.installation import apply

pytestmark = pytest.mark.cluster
GUARDED = {"clientAuthentication": {"configMap": "callers", "names": ["kube-apiserver"]}}
OPEN = {"clientAuthentication": {"configMap": "", "names": []}}


def test_client_certificates_that_api_servers_show_come_to_be_asked_for_and_that_ends(site: Site) -> None:
    trusted = {"ca.crt": site.clients.pem.decode()}
    metadata = {"name": "callers", "namespace": NAMESPACE}
    apply(site.cluster, [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": trusted}])
    with site.released(OPEN) as release, release.load() as load:
        for values in (GUARDED, OPEN):
            before = set(release.replicas())
            release.upgrade(values)
            load.writers.go_on(100)
            assert not before & set(release.replicas())


def test_cert_manager_takes_the_place_of_the_own_ca(site: Site) -> None:
    """The old replicas may no longer read the CA's Secret, so that a new one comes to lead."""
    CertManager.prepare(site.cluster)
    with site.released({}) as release, release.load() as load:
        issuer = CertManager(release)

        def answer() -> None:
            await_that(lambda: bool(release.read(CERTIFICATE)), "Certificate")
            issuer.issue()

        thread = threading.Thread(target=answer)
        thread.start()
        release.upgrade({"certificates": {"source": "certManager", "issuerRef": {"name": "ours"}}})
        thread.join()
        release.look(load)
        load.writers.go_on(100)
    assert len(load.ca_certificates) == 2
