"""The load that the other tests rest on notices what must not happen."""

import base64
from collections.abc import Iterator

import pytest

from tests.e2e_controller.release import MUTATING, VALIDATING, admin, await_that
from tests.e2e_rotation.conftest import Site
from tests.e2e_rotation.handshakes import Handshakes
from tests.e2e_rotation.release import Object
from tests.localcluster.installation import apply
from tests.writers import Problem, Writers, created

pytestmark = pytest.mark.cluster


@pytest.fixture
def unanswered(site: Site) -> Iterator[None]:
    """Webhook configurations of a webhook that is not there; the validating one denies then, the mutating one does not."""
    trusted = base64.b64encode(site.cluster.ca_pem).decode()
    apply(site.cluster, [configuration("Validating", "Fail", trusted), configuration("Mutating", "Ignore", trusted)])
    yield
    for path in (VALIDATING, MUTATING):
        admin(site.cluster).delete(path)


def test_without_a_webhook_every_write_is_unevaluated(site: Site) -> None:
    with Writers(site.cluster, created) as load:
        load.go_on(20)
    assert (load.count(Problem.FAILED), len(load.losses)) == (0, len(load.writes))


@pytest.mark.usefixtures("unanswered")
def test_with_a_webhook_that_nobody_answers_for_every_write_fails(site: Site) -> None:
    with Writers(site.cluster, created) as load:
        await_that(lambda: load.count(Problem.FAILED) > 20, "failures")
    assert load.count(Problem.FAILED) == len(load.writes)
    assert "failed calling webhook" in load.losses[-1]


@pytest.mark.usefixtures("unanswered")
def test_a_server_of_another_name_fails_every_handshake(site: Site) -> None:
    port = site.cluster.client().port
    with Handshakes(admin(site.cluster), ("127.0.0.1", port)) as load:
        await_that(lambda: len(load.failed) > 3, "failures")
    assert len(load.failed) == load.total
    assert "Hostname mismatch" in load.failed[0]


def configuration(kind: str, policy: str, trusted: str) -> Object:
    """Return a webhook configuration for every new VM."""
    rule = {
        "apiGroups": ["kubevirt.io"],
        "apiVersions": ["*"],
        "resources": ["virtualmachines"],
        "operations": ["CREATE"],
    }
    webhook = {
        "name": "VMs.migratability.io",
        "clientConfig": {"service": {"namespace": "vms", "name": "absent"}, "caBundle": trusted},
        "rules": [rule],
        "failurePolicy": policy,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": "migratability"},
        "webhooks": [webhook],
    }
