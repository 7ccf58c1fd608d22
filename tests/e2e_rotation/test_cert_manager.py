"""Certificates of cert-manager: registered, served, and renewed under writes."""

from collections.abc import Iterator

import pytest

from tests.e2e_rotation.conftest import Site
from tests.e2e_rotation.issuers import CertManager, await_served, complete, define_certificates

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def cert_manager(site: Site) -> Iterator[CertManager]:
    """A release that waited for its first certificate by cert-manager."""
    define_certificates(site.cluster)
    values = {"certificates": {"source": "certManager", "issuerRef": {"name": "ours"}}}
    with site.released(values, complete=False) as release:
        issuer = CertManager(release)
        issuer.issue()
        complete(release)
        yield issuer


def test_a_leaf_that_cert_manager_renews_is_served(cert_manager: CertManager) -> None:
    with cert_manager.release.load() as load:
        await_served(cert_manager.release, load, cert_manager.issue())
    assert len(load.authorities) == 1


def test_of_a_new_issuer_of_cert_managers_nothing_is_served_before_it_is_trusted(cert_manager: CertManager) -> None:
    """cert-manager writes leaf and authority at once, so nobody can trust the new one when it is there."""
    with cert_manager.release.load() as load:
        for _ in range(2):
            cert_manager.change_authority()
            await_served(cert_manager.release, load, cert_manager.issue())
    assert len(load.authorities) == 3
