"""The Secret with the CA is deleted, cut short or replaced under writes: it comes back, and nobody notices."""

import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

import certs
from tests.e2e_controller.release import CA_SECRET, await_that
from tests.e2e_rotation.conftest import Site
from tests.e2e_rotation.release import Load, Object, Release, all_new, all_of_others
from tests.localcluster.credentials import CA

pytestmark = pytest.mark.cluster

THEIRS = CA("somebody else's").server("theirs", ["theirs"])


@pytest.fixture(scope="module")
def release(site: Site) -> Iterator[Release]:
    """A release whose leaves are renewed often and whose CA is not."""
    with site.released({"certificates": {"leafLifetime": "30s"}}) as found:
        yield found


def test_deleted_it_comes_back_with_the_same_ca_which_goes_on_signing(release: Release) -> None:
    before = data(release)
    with release.load() as load:
        release.api.delete(CA_SECRET)
        await_that(lambda: data(release) == before, "Secret as it was")
        await_leaves(release, load)
    assert len(load.ca_certificates) == 1


def cut_short(secret: Object) -> Object:
    """Return the data of a Secret whose certificate somebody truncated."""
    return encoded({"signing.crt": base64.b64decode(secret["signing.crt"])[:200]})


def foreign(secret: Object) -> Object:
    """Return the data of a Secret in whose place somebody put a certificate of another kind."""
    return {**dict.fromkeys(secret), **encoded({"tls.crt": THEIRS.certificate, "tls.key": THEIRS.key})}


@pytest.mark.parametrize("written", [cut_short, foreign], ids=["cut short", "foreign"])
def test_what_somebody_else_wrote_into_it_is_never_served_and_put_right(
    release: Release, written: Callable[[Object], Object]
) -> None:
    before = data(release)
    with release.load() as load:
        release.edit(CA_SECRET, {"data": written(before)})
        await_that(lambda: data(release) == before, "Secret as it was")
        await_leaves(release, load)
    assert len(load.ca_certificates) == 1
    assert THEIRS.certificate not in b"".join(release.bundles)


def test_one_that_does_not_say_it_is_ours_is_reported_and_left_alone(release: Release) -> None:
    """Its place is somebody else's then: the replicas go on with what they remember, and say what to do."""
    before, theirs = data(release), {"password": "c2VjcmV0"}
    label = "app.kubernetes.io/managed-by"
    with release.load() as load:
        release.edit(
            CA_SECRET, {"metadata": {"labels": {label: "somebody"}}, "data": {**dict.fromkeys(before), **theirs}}
        )
        await_that(lambda: "it is not ours: delete it, or name another" in release.logs, "report")
        await_leaves(release, load)
        assert data(release) == theirs
        release.api.delete(CA_SECRET)
        await_that(lambda: data(release) == before, "Secret as it was")
    assert len(load.ca_certificates) == 1


def test_another_ca_that_somebody_put_into_it_is_trusted_before_a_leaf_of_it_is_served(release: Release) -> None:
    """Nothing tells it from one of ours, for who may write the Secret may do that."""
    with release.load() as load:
        before = release.look(load)
        release.edit(CA_SECRET, {"data": {**dict.fromkeys(data(release)), **another()}})
        release.await_served(load, all_of_others(before), "leaf of the other CA from both replicas")
    assert len(load.ca_certificates) == 2


def data(release: Release) -> Object:
    """Return what the Secret holds, nothing where it is not there."""
    found: Object = (release.read(CA_SECRET) or {}).get("data", {})
    return found


def await_leaves(release: Release, load: Load) -> None:
    """Return when each replica has renewed its leaf."""
    release.await_served(load, all_new(release.look(load)), "another leaf from each replica")


def another() -> Object:
    """Return the data of the Secret of another installation."""
    made = certs.CA.make(timedelta(days=1), datetime.now(UTC))
    return encoded({"signing.crt": made.certificate, "signing.key": made.key})


def encoded(data: Mapping[str, bytes]) -> Object:
    """Return data as Secrets hold it."""
    return {key: base64.b64encode(content).decode() for key, content in data.items()}
