"""Certificates that others issue, cert-manager or OpenShift's service CA: registered, served, renewed under writes."""

from collections.abc import Iterator

import pytest

from tests.e2e_controller.release import await_that
from tests.e2e_rotation.conftest import Site
from tests.e2e_rotation.issuers import CertManager, ServiceCa, are_mounted, await_served, complete

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module", params=[CertManager, ServiceCa], ids=["cert-manager", "service CA"])
def issuer(request: pytest.FixtureRequest, site: Site) -> Iterator[CertManager | ServiceCa]:
    """What issues for a release that waited for its first certificate."""
    kind: type[CertManager] | type[ServiceCa] = request.param
    kind.prepare(site.cluster)
    with site.released({"certificates": kind.VALUES}, complete=False) as release:
        found = kind(release)
        found.publish_ca()
        found.issue()
        complete(release)
        yield found


def test_a_leaf_that_is_renewed_is_served(issuer: CertManager | ServiceCa) -> None:
    with issuer.release.load() as load:
        await_served(issuer.release, load, issuer.issue())
    assert len(load.ca_certificates) == 1


def test_of_a_new_ca_nothing_is_served_before_it_is_trusted(issuer: CertManager | ServiceCa) -> None:
    """cert-manager writes leaf and CA at once, so nobody can trust the new one when it is there."""
    with issuer.release.load() as load:
        for _ in range(2):
            issuer.change_ca()
            issuer.publish_ca()
            await_served(issuer.release, load, issuer.issue())
    assert len(load.ca_certificates) == 3


@pytest.mark.parametrize("issuer", [ServiceCa], ids=["service CA"], indirect=True)
def test_a_leaf_of_an_ca_that_is_not_told_of_yet_waits_for_it(issuer: ServiceCa) -> None:
    """OpenShift writes the two by two controllers."""
    release = issuer.release
    with release.load() as load:
        issuer.change_ca()
        before = release.look(load)
        leaf = issuer.issue()
        await_that(lambda: are_mounted(leaf, release), "new leaf in both pods")
        load.writers.go_on(500)
        assert release.look(load) == before
        issuer.publish_ca()
        await_served(release, load, leaf)
    assert len(load.ca_certificates) == 2
