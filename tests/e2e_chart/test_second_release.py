"""The registrations have fixed names: of two installations in a cluster one is told so, and neither fights."""

from collections.abc import Iterator

import pytest

from tests.documentation import CHART
from tests.e2e_chart.site import VALUES, Site, set_options
from tests.e2e_controller.release import MUTATING, NAME, VALIDATING
from tests.workloads import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
ELSEWHERE, SECOND = "elsewhere", "second"
INSTALL = (str(CHART), "--create-namespace", *set_options(VALUES))


@pytest.fixture
def second(release: Site) -> Iterator[Site]:
    """Another release beside the one that holds the registrations; helm does not wait for it."""
    release.helm("install", SECOND, *INSTALL, namespace=ELSEWHERE)
    yield release
    release.try_helm("uninstall", SECOND, "--wait", "--timeout=120s", namespace=ELSEWHERE)


def test_helm_refuses_the_same_release_in_another_namespace(release: Site) -> None:
    refused = release.try_helm("install", NAME, *INSTALL, namespace=ELSEWHERE)
    assert refused.returncode != 0
    assert "exists and cannot be imported into the current release" in refused.stderr


def test_a_second_release_does_not_become_ready_and_says_why(second: Site) -> None:
    def said() -> bool:
        why = (
            f"ValidatingWebhookConfiguration migratability is not ours, it belongs to ClusterRole {NAME}-registrations"
        )
        return any(why in text and "uninstall one of the two" in text for text in second.events(ELSEWHERE))

    eventually("an event says why", said)
    assert ready_replicas(second) == ""


def test_a_second_release_leaves_the_registrations_alone_and_so_does_its_uninstallation(second: Site) -> None:
    before = [second.read(path) for path in (VALIDATING, MUTATING)]
    eventually("it has looked", lambda: any("is not ours" in text for text in second.events(ELSEWHERE)))
    second.helm("uninstall", SECOND, "--wait", "--timeout=120s", namespace=ELSEWHERE)
    assert [second.read(path) for path in (VALIDATING, MUTATING)] == before
    second.await_in_force()


def ready_replicas(site: Site) -> str:
    """Return how many pods of the second release are ready, as its Deployment has it: nothing for none."""
    deployment = f"deployment/{SECOND}-{NAME}"
    path = "jsonpath={.status.readyReplicas}"
    return site.cluster.kubectl("get", deployment, "-n", ELSEWHERE, "-o", path).stdout
