"""Certificates that cert-manager or OpenShift's service CA issue: trusted, served and renewed under writes."""

from collections.abc import Iterator

import pytest
from cryptography import x509

from tests.e2e_chart.release import Release
from tests.e2e_controller.permissions import NAMESPACE
from tests.e2e_rotation.issuers import CertManager, ServiceCa
from tests.e2e_rotation.load import Load, under_load
from tests.eventually import eventually
from tests.localcluster.credentials import Identity

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module", params=[CertManager, ServiceCa], ids=["cert-manager", "service CA"])
def issuer(request: pytest.FixtureRequest, site: Release) -> Iterator[CertManager | ServiceCa]:
    """What issues for a release that waited for its first certificate."""
    found: CertManager | ServiceCa = request.param(site)
    with site.installed({"certificates": found.VALUES}, wait=False) as release:
        found.publish_ca()
        found.issue()
        release.await_in_force()
        yield found


def test_a_renewed_leaf_is_served_and_one_of_a_new_ca_not_before_it_is_trusted(issuer: CertManager | ServiceCa) -> None:
    """cert-manager writes leaf and CA at once, so nobody can trust the new CA when its leaf is there."""
    with under_load(issuer.release) as load:
        await_served(load, issuer.issue())
        assert len(load.ca_names) == 1
        issuer.change_ca()
        issuer.publish_ca()
        await_served(load, issuer.issue())
    assert len(load.ca_names) == 2


@pytest.mark.parametrize("issuer", [ServiceCa], ids=["service CA"], indirect=True)
def test_a_leaf_of_a_ca_that_is_not_published_yet_waits_for_it(issuer: ServiceCa) -> None:
    """OpenShift writes the two by two controllers."""
    release = issuer.release
    with under_load(release) as load:
        issuer.change_ca()
        before = load.look()
        leaf = issuer.issue()
        mounted = [release.nodes.folder(name, "tls", NAMESPACE) / "tls.crt" for name in release.ready_pods]
        eventually("it is in both pods", lambda: all(path.read_bytes() == leaf.certificate for path in mounted))
        load.writers.go_on(200)
        assert load.look() == before
        issuer.publish_ca()
        await_served(load, leaf)
    assert len(load.ca_names) == 2


def await_served(load: Load, issued: Identity) -> None:
    """Return when both replicas serve what was issued."""
    leaf = x509.load_pem_x509_certificate(issued.certificate)
    load.await_served("new leaf from both replicas", lambda served: [*served.values()] == [leaf] * 2)
