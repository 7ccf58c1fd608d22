"""The first start of a release on a real API server, with nothing more than the permissions it needs."""

import threading
from typing import Any

import pytest

from tests.e2e_controller.permissions import OWNER, owner_role
from tests.e2e_controller.release import (
    CA_SECRET,
    KUBEVIRTS_NAMESPACE,
    LEASE,
    MUTATING,
    OWNER_ROLE,
    PROBE,
    VALIDATING,
    Release,
    await_that,
)
from webhook.cluster.api import ApiError
from webhook.objects import at


def test_two_replicas_register_the_webhook_while_every_write_of_a_good_vm_passes(release: Release) -> None:
    failures: list[str] = []
    patched: list[bool] = []
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            try:
                patched.append(release.patches)
            except ApiError as error:
                failures.append(str(error))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(2):
            release.start()
        release.await_in_force()
        await_that(lambda: all(replica.is_ready for replica in release.replicas), "two ready replicas")
    finally:
        done.set()
        writer.join()
    assert failures == []
    assert patched[-1], "the last writes were patched"
    assert [replica.is_leader for replica in release.replicas].count(True) == 1


def test_nothing_that_denies_is_registered_before_an_api_server_reached_us(release: Release) -> None:
    """The only replica is not ready, since it may not read a kind that verdicts rest on."""
    release.forbid("storageclasses")
    replica = release.start()
    release.await_log(replica, "failed calling webhook")
    assert not release.read(VALIDATING)
    assert not release.read(MUTATING)
    assert release.read(PROBE)
    assert "storageclasses" in replica.get("/readyz")[1]
    release.allow()
    release.await_in_force()


@pytest.mark.cluster
def test_all_that_it_makes_belongs_to_its_cluster_role_and_stays_out_of_backups(release: Release) -> None:
    release.start()
    await_that(lambda: release.is_configured, "registration")
    uid = at(release.read(OWNER_ROLE), "metadata", "uid")
    for path in (VALIDATING, MUTATING, LEASE, CA_SECRET):
        metadata: Any = at(release.read(path), "metadata")
        (owner,) = metadata["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"]) == ("ClusterRole", OWNER, uid)
        assert not owner.get("blockOwnerDeletion")
        assert metadata["labels"]["velero.io/exclude-from-backup"] == "true"
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "migratability-webhook"


@pytest.mark.cluster
def test_without_its_cluster_role_nothing_is_made(release: Release) -> None:
    release.delete(OWNER_ROLE)
    replica = release.start()
    release.await_log(replica, f"ClusterRole {OWNER} does not exist")
    assert not any(release.read(path) for path in (VALIDATING, MUTATING, PROBE, LEASE, CA_SECRET))
    release.make(owner_role())
    release.await_in_force()


def test_it_asks_about_kubevirts_own_vmis_by_the_namespace_in_which_kubevirt_is(release: Release) -> None:
    release.start()
    found = await_that(lambda: release.read(VALIDATING), "registration")
    assert f"system:serviceaccount:{KUBEVIRTS_NAMESPACE}:kubevirt-controller" in str(found)
