"""Certificates of OpenShift's service CA: registered, served, and renewed under writes."""

from collections.abc import Iterator

import pytest

from tests.e2e_controller.release import await_that
from tests.e2e_rotation.conftest import Site
from tests.e2e_rotation.issuers import ServiceCa, are_mounted, await_served, complete

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def service_ca(site: Site) -> Iterator[ServiceCa]:
    """A release that waited for its first certificate by OpenShift."""
    with site.released({"certificates": {"source": "serviceCA"}}, complete=False) as release:
        issuer = ServiceCa(release)
        issuer.inject()
        issuer.issue()
        complete(release)
        yield issuer


def test_a_leaf_that_openshift_renews_is_served(service_ca: ServiceCa) -> None:
    with service_ca.release.load() as load:
        await_served(service_ca.release, load, service_ca.issue())
    assert len(load.authorities) == 1


def test_a_new_service_ca_is_trusted_before_a_leaf_of_it_is_served(service_ca: ServiceCa) -> None:
    with service_ca.release.load() as load:
        service_ca.change_authority()
        service_ca.inject()
        await_served(service_ca.release, load, service_ca.issue())
    assert len(load.authorities) == 2


def test_a_leaf_of_a_service_ca_that_is_not_in_the_config_map_yet_waits_for_it(service_ca: ServiceCa) -> None:
    """The two are written by two controllers."""
    with service_ca.release.load() as load:
        service_ca.change_authority()
        before = service_ca.release.look(load)
        leaf = service_ca.issue()
        await_that(lambda: are_mounted(leaf, service_ca.release), "new leaf in both pods")
        load.writers.go_on(500)
        assert service_ca.release.look(load) == before
        service_ca.inject()
        await_served(service_ca.release, load, leaf)
    assert len(load.authorities) == 2
