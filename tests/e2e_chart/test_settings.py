"""A staged start, the global mode and the emergency switch, all by `helm upgrade`."""

import pytest

from tests.e2e_chart.site import Site
from tests.workloads import eventually

pytestmark = pytest.mark.cluster


def test_the_brake_works_without_a_restart(release: Site) -> None:
    pods = release.ready_pods
    release.upgrade("settings.mode=warn")
    eventually("what cannot be asked passes", lambda: release.configured("failurePolicy") == {"Ignore"})
    eventually("a bad VM is admitted", lambda: release.answer("once") == "")
    assert release.patches

    release.upgrade("settings.mode=deny")
    eventually("what cannot be asked is denied", lambda: release.configured("failurePolicy") == {"Fail"})
    release.await_in_force()
    assert release.ready_pods == pods


def test_the_emergency_switch_takes_the_webhook_configurations_away_and_brings_them_back(release: Site) -> None:
    pods = release.ready_pods
    release.upgrade("settings.webhookConfigurations=off")
    eventually("nothing is registered", lambda: not release.is_configured)
    assert [release.answer(claim) for claim in ("once", "good")] == ["", ""]

    release.upgrade("settings.webhookConfigurations=managed")
    release.await_in_force()
    assert release.ready_pods == pods


def test_only_vms_in_chosen_namespaces_are_evaluated(release: Site) -> None:
    release.upgrade("namespaceSelector.matchLabels.migratability=on")
    eventually("a bad VM is admitted", lambda: release.answer("once") == "")
    release.cluster.kubectl("label", "namespace", "vms", "migratability=on")
    release.await_in_force()

    release.cluster.kubectl("label", "namespace", "vms", "migratability-")
    eventually("a bad VM is admitted", lambda: release.answer("once") == "")
    release.upgrade()
    release.await_in_force()
