"""The first start of a release on a real API server, with nothing more than the permissions it needs."""

from typing import Any

from tests.e2e_controller.permissions import NAME, OWNER, RBAC
from tests.e2e_controller.release import (
    CA_SECRET,
    KUBEVIRTS_NAMESPACE,
    LEASE,
    MUTATING,
    OWNER_ROLE,
    PROBE,
    VALIDATING,
    Release,
)
from tests.eventually import eventually
from tests.writers import Writers, sound
from webhook.objects import at

CLASSES = "storageclasses"


def test_two_replicas_create_what_they_own_while_every_write_of_a_good_vm_passes(release: Release) -> None:
    with Writers(release.cluster, sound) as writers:
        for _ in range(2):
            release.start()
        release.await_in_force()
        eventually("both replicas are ready", lambda: all(replica.is_ready for replica in release.replicas))
        writers.go_on()
    assert writers.losses == []
    assert [replica.is_leader for replica in release.replicas].count(True) == 1
    assert f"system:serviceaccount:{KUBEVIRTS_NAMESPACE}:kubevirt-controller" in str(release.read(VALIDATING))
    owner = {"kind": "ClusterRole", "name": OWNER, "uid": at(release.read(OWNER_ROLE), "metadata", "uid")}
    for path in (VALIDATING, MUTATING, LEASE, CA_SECRET):
        metadata: Any = at(release.read(path), "metadata")
        assert metadata["ownerReferences"] == [{"apiVersion": f"{RBAC}/v1", **owner}]
        assert metadata["labels"]["velero.io/exclude-from-backup"] == "true"
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "migratability-webhook"


def test_no_webhook_configuration_denies_before_an_api_server_has_reached_the_webhook(release: Release) -> None:
    """The only replica is not ready, since it may not read a kind that verdicts rest on; so it holds no connection."""
    reads = f"/apis/{RBAC}/v1/clusterroles/{NAME}-reads"
    release.edit(reads, lambda role: role.update(rules=[rule for rule in role["rules"] if CLASSES not in str(rule)]))
    replica = release.start()
    eventually("the probe fails", lambda: "failed calling webhook" in replica.log)
    assert not release.read(VALIDATING)
    assert not release.read(MUTATING)
    assert release.read(PROBE)
    assert CLASSES in replica.get("/readyz")
    replica.stop()
    assert at(release.read(LEASE), "spec", "holderIdentity") == "", "the leader released its Lease"
    release.install()
    release.start()
    release.await_in_force()
