"""The Secret with the CA is deleted, overwritten or replaced under writes, and no write fails."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

import certs
from tests.build import Object
from tests.e2e_chart.release import Release
from tests.e2e_controller.release import CA_SECRET
from tests.e2e_rotation.issuers import encoded
from tests.e2e_rotation.load import Load, configured, issuers, under_load
from tests.eventually import eventually
from tests.localcluster.credentials import CA

pytestmark = pytest.mark.cluster

THEIRS = CA("somebody else's").server("theirs", ["theirs"])


@pytest.fixture(scope="module")
def release(site: Release) -> Iterator[Release]:
    """A release whose leaves are renewed often and whose CA is not."""
    with site.installed({"certificates": {"leafLifetime": "30s"}}) as found:
        yield found


def test_deleted_truncated_or_foreign_it_is_restored_with_the_same_ca_which_goes_on_signing(release: Release) -> None:
    before = data(release)
    truncated = encoded({"signing.crt": base64.b64decode(before["signing.crt"])[:200]})
    foreign = {**dict.fromkeys(before), **encoded({"tls.crt": THEIRS.certificate, "tls.key": THEIRS.key})}
    with under_load(release) as load:
        release.api.delete(CA_SECRET)
        eventually("the Secret is restored", lambda: data(release) == before)
        for written in (truncated, foreign):
            release.edit(CA_SECRET, {"data": written})
            eventually("the Secret is as it was", lambda: data(release) == before)
        await_leaves(load)
    assert len(load.ca_names) == 1
    assert THEIRS.certificate not in b"".join(configured(release.api))


def test_one_that_does_not_say_it_is_ours_is_reported_and_left_alone(release: Release) -> None:
    """Somebody else uses its name then: the replicas go on with what they remember, and say what to do."""
    before, theirs = data(release), {"password": "c2VjcmV0"}
    labels = {"app.kubernetes.io/managed-by": "somebody"}
    with under_load(release) as load:
        release.edit(CA_SECRET, {"metadata": {"labels": labels}, "data": {**dict.fromkeys(before), **theirs}})
        eventually("it is reported", lambda: "the webhook did not create it: delete it" in release.logs)
        await_leaves(load)
        assert data(release) == theirs
        release.api.delete(CA_SECRET)
        eventually("the Secret is as it was", lambda: data(release) == before)
    assert len(load.ca_names) == 1


def test_another_ca_that_somebody_put_into_it_is_trusted_before_a_leaf_of_it_is_served(release: Release) -> None:
    """Nothing distinguishes it from our own, for anyone who may write the Secret may do that."""
    made = certs.CA.make(timedelta(days=1), datetime.now(UTC))
    another = encoded({"signing.crt": made.certificate, "signing.key": made.key})
    with under_load(release) as load:
        before = load.look()
        release.edit(CA_SECRET, {"data": {**dict.fromkeys(data(release)), **another}})
        load.await_served(
            "leaf of the other CA from both replicas",
            lambda served: before.keys() <= served.keys() and not issuers(served) & issuers(before),
        )
    assert len(load.ca_names) == 2


def data(release: Release) -> Object:
    """Return what the Secret holds, nothing where it is not there."""
    return dict((release.read(CA_SECRET) or {}).get("data", {}))


def await_leaves(load: Load) -> None:
    """Return when each replica has renewed its leaf."""
    before = load.look()
    load.await_served(
        "another leaf from each replica",
        lambda served: all(name in served and served[name] != leaf for name, leaf in before.items()),
    )
