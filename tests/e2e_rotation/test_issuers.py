"""Certificates that cert-manager or OpenShift's service CA issue: trusted, served and renewed under writes."""

from collections.abc import Iterator

import pytest

from tests.e2e_chart.release import Release
from tests.e2e_rotation.issuers import CertManager, ServiceCa, are_mounted, await_served
from tests.e2e_rotation.load import under_load
from tests.workloads import eventually

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module", params=[CertManager, ServiceCa], ids=["cert-manager", "service CA"])
def issuer(request: pytest.FixtureRequest, site: Release) -> Iterator[CertManager | ServiceCa]:
    """What issues for a release that waited for its first certificate."""
    kind: type[CertManager] | type[ServiceCa] = request.param
    kind.prepare(site.cluster)
    with site.installed({"certificates": kind.VALUES}, wait=False) as release:
        found = kind(release)
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
        eventually("the new leaf is in both pods", lambda: are_mounted(leaf, release))
        load.writers.go_on(200)
        assert load.look() == before
        issuer.publish_ca()
        await_served(load, leaf)
    assert len(load.ca_names) == 2
