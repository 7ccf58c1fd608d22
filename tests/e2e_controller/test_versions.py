"""While replicas of two versions may be called, rules stay as they are; what is trusted, and the global mode, do not."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.build import Object
from tests.e2e_controller.permissions import NAME, NAMESPACE
from tests.e2e_controller.release import VALIDATING, Release, await_that
from tests.localcluster.installation import apply

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def pod(name: str, version: str) -> Object:
    """Return a pod of the release that is ready."""
    labels = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/version": version}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {"containers": [{"name": "webhook", "image": "webhook"}], "automountServiceAccountToken": False},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


@pytest.fixture(scope="module")
def mixed(installed: Release) -> Iterator[Release]:
    """A release in the middle of an upgrade: its replica, and one of another version."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": NAMESPACE}}
    apply(installed.cluster, [account])
    apply(installed.cluster, [pod(installed.replicas[0].name, "1.0"), pod("newer", "2.0")])
    yield installed
    for name in ("newer", installed.replicas[0].name):
        if installed.read(f"{PODS}/{name}"):
            installed.cluster.kubectl("delete", "pod", name, "-n", NAMESPACE, "--force", "--grace-period=0")


def first(release: Release) -> Any:
    """Return the first webhook of the validating configuration."""
    live = release.read(VALIDATING)
    assert live
    return live["webhooks"][0]


@pytest.mark.cluster
def test_rules_of_another_version_stay_while_it_may_be_called(mixed: Release) -> None:
    """The edit stands for what another version registers."""
    newer = {"name": "newer", "expression": "object.kind != 'x'"}
    mixed.edit(VALIDATING, lambda live: live["webhooks"][0]["matchConditions"].append(newer))
    mixed.edit(VALIDATING, lambda live: live["webhooks"][0]["clientConfig"].pop("caBundle"))
    await_that(lambda: "caBundle" in first(mixed)["clientConfig"], "bundle")
    assert newer in first(mixed)["matchConditions"]
    mixed.settings({"mode": "warn"})
    await_that(lambda: first(mixed)["failurePolicy"] == "Ignore", "brake")
    assert newer in first(mixed)["matchConditions"]
    mixed.settings({})
    mixed.cluster.kubectl("delete", "pod", "newer", "-n", NAMESPACE, "--force", "--grace-period=0")
    await_that(lambda: newer not in first(mixed)["matchConditions"], "our own rules")
    assert first(mixed)["failurePolicy"] == "Fail"
