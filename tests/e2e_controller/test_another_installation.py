"""Another installation holds the names of the webhook configurations: nobody fights."""

import json

import pytest

from tests.e2e_controller.permissions import owner_role
from tests.e2e_controller.release import VALIDATING, Release, await_that
from webhook.controller.webhook_configurations import webhook_configurations
from webhook.objects import at

OTHER = "other-registrations"


@pytest.mark.cluster
def test_the_webhook_configurations_of_another_installation_are_left_alone(release: Release) -> None:
    theirs, other_role = _of_another(release)
    replica = release.start()
    message = f"ValidatingWebhookConfiguration migratability is not ours, it belongs to ClusterRole {OTHER}"
    release.await_log(replica, message)
    await_that(lambda: message in replica.get("/readyz")[1], "the reason in /readyz")
    assert not replica.is_ready
    assert at(release.read(VALIDATING), "metadata", "resourceVersion") == theirs
    release.delete(VALIDATING)
    release.delete(other_role)
    release.await_in_force()


def _of_another(release: Release) -> tuple[str, str]:
    """Register what another release would; return its version, and the path of the ClusterRole that owns it."""
    release.make({**owner_role(), "metadata": {"name": OTHER}})
    path = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{OTHER}"
    uid = at(release.read(path), "metadata", "uid")
    reference = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "name": OTHER, "uid": uid}
    validating, _ = webhook_configurations({"namespace": "other", "name": "webhook", "port": 443}, "")
    validating["metadata"]["ownerReferences"] = [reference]
    for webhook in validating["webhooks"]:
        webhook["failurePolicy"] = "Ignore"
    release.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(validating))
    return str(at(release.read(VALIDATING), "metadata", "resourceVersion")), path
