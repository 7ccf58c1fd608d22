"""A cluster as its API server tells it: fresh, in time, and never a guess."""

from collections.abc import Iterator

import pytest

from tests.build import NAMESPACE, RWO, RWX, claim, node, persistent_volume, storage_class, storage_profile
from tests.cluster.conftest import ONE, end
from tests.cluster.fake_api import GONE, FakeApi
from webhook.cluster import ClusterUnavailable, live
from webhook.cluster.api import Api, ApiError
from webhook.cluster.interface import Undecidable
from webhook.cluster.live import LiveCluster
from webhook.cluster.reflector import SILENCE
from webhook.cluster.resources import (
    CLAIMS,
    CLASSES,
    DATA_VOLUMES,
    NODES,
    PERSISTENT_VOLUMES,
    PROFILES,
    RESOURCES,
)
from webhook.objects import can_be_name

SECONDS = 20.0
WATCHED = [resource for resource in RESOURCES if resource.watched]


@pytest.fixture
def cluster(api: FakeApi, connection: Api) -> Iterator[LiveCluster]:
    """A cluster that was not started yet."""
    cluster = LiveCluster(connection)
    yield cluster
    end(api, cluster._reflectors.values())


@pytest.fixture
def ready(api: FakeApi, cluster: LiveCluster) -> LiveCluster:
    """The same, started, with every watch open."""
    cluster.start()
    api.await_that(lambda: not cluster.unready(), "ready cluster")
    api.asked("watch", len(WATCHED))
    return cluster


def modes(cluster: LiveCluster, name: str, *, confirm: bool = False) -> tuple[str, ...] | None:
    facts = cluster.within(SECONDS, confirm=confirm).get(CLAIMS, name, NAMESPACE)
    return facts.access_modes if facts else None


def is_mirrored(cluster: LiveCluster, name: str) -> bool:
    """Say whether a PVC is known without asking for it."""
    cache = cluster.reflector(CLAIMS)
    return cache is not None and cache.get((NAMESPACE, name)) is not None


def gets(api: FakeApi) -> list[str]:
    return [asked.path for asked in api.asked("get")]


def test_what_is_mirrored_is_answered_without_asking(api: FakeApi, ready: LiveCluster) -> None:
    api.put(CLAIMS, claim("c", RWX))
    api.await_that(lambda: is_mirrored(ready, "c"), "event")
    asked = [request for request in api.requests if request.verb == "get"]
    assert modes(ready, "c") == (RWX,)
    assert [request for request in api.requests if request.verb == "get"] == asked


def test_a_pvc_that_no_watch_told_of_yet_is_asked_for(api: FakeApi, ready: LiveCluster) -> None:
    api.put(CLAIMS, claim("just-made", RWX), quietly=True)
    assert modes(ready, "just-made") == (RWX,)
    assert gets(api) == [f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims/just-made"]


def test_only_the_server_can_say_that_something_does_not_exist(api: FakeApi, ready: LiveCluster) -> None:
    assert modes(ready, "nowhere") is None
    assert len(gets(api)) == 1


def test_a_view_asks_for_no_object_twice(api: FakeApi, ready: LiveCluster) -> None:
    view = ready.within(SECONDS)
    assert [view.get(CLAIMS, "nowhere", NAMESPACE) for _ in range(3)] == [None] * 3
    assert len(gets(api)) == 1


def test_to_confirm_is_to_ask_the_server_whatever_the_cache_says(api: FakeApi, ready: LiveCluster) -> None:
    api.put(CLAIMS, claim("mended", RWO))
    api.await_that(lambda: is_mirrored(ready, "mended"), "event")
    api.put(CLAIMS, claim("mended", RWX), quietly=True)
    assert modes(ready, "mended") == (RWO,)
    assert modes(ready, "mended", confirm=True) == (RWX,)


def test_to_confirm_sees_what_is_gone(api: FakeApi, ready: LiveCluster) -> None:
    api.put(CLAIMS, claim("gone", RWO))
    api.await_that(lambda: is_mirrored(ready, "gone"), "event")
    api.put(CLAIMS, claim("gone", RWO), quietly=True, gone=True)
    assert modes(ready, "gone", confirm=True) is None


def test_a_stale_cache_is_not_believed(api: FakeApi, ready: LiveCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    api.put(CLAIMS, claim("c", RWO))
    api.await_that(lambda: is_mirrored(ready, "c"), "event")
    api.put(CLAIMS, claim("c", RWX), quietly=True)
    api.put(NODES, node("late"), quietly=True)
    monkeypatch.setattr(live, "STALE", 0.0)
    assert modes(ready, "c") == (RWX,)
    assert [found.name for found in ready.within(SECONDS).list(NODES)] == ["late"]


def test_a_cache_is_stale_only_after_a_watch_was_given_up_as_silent() -> None:
    assert live.STALE > SILENCE


def test_before_the_first_list_the_server_is_asked(api: FakeApi, cluster: LiveCluster) -> None:
    api.put(CLAIMS, claim("c", RWX))
    api.put(CLASSES, storage_class("nas"))
    assert modes(cluster, "c") == (RWX,)
    assert [found.name for found in cluster.within(SECONDS).list(CLASSES)] == ["nas"]


def test_a_long_list_that_is_asked_for_comes_in_pages(api: FakeApi, cluster: LiveCluster) -> None:
    for number in range(501):
        api.put(NODES, node(f"n{number}"), quietly=True)
    assert len(cluster.within(SECONDS).list(NODES)) == 501
    assert [asked.query.get("continue") for asked in api.asked("list")] == [None, "1", "2"]


@pytest.mark.parametrize("status", [404, 403])
def test_of_an_optional_kind_that_cannot_be_read_there_is_none(api: FakeApi, cluster: LiveCluster, status: int) -> None:
    api.faults |= {"list": status, "get": status}
    view = cluster.within(SECONDS)
    assert view.get(DATA_VOLUMES, "dv", NAMESPACE) is None
    assert list(view.list(PROFILES)) == []


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_what_the_server_will_not_say_is_undecidable(api: FakeApi, cluster: LiveCluster, status: int) -> None:
    api.faults |= {"list": status, "get": status}
    view = cluster.within(SECONDS)
    with pytest.raises(ApiError, match=f"the API server answered {status}: fault {status}"):
        view.get(CLAIMS, "c", NAMESPACE)
    with pytest.raises(Undecidable):
        view.list(CLASSES)


def test_an_absent_kind_is_not_asked_for_again_and_again(api: FakeApi, cluster: LiveCluster) -> None:
    api.faults["list"] = 404
    cluster.start()
    api.await_that(lambda: not set(cluster.unready()) & {"storageprofiles"}, "absent kind")
    assert cluster.within(SECONDS).get(PROFILES, "nas") is None
    assert gets(api) == []


def test_a_server_that_does_not_answer_costs_no_more_than_the_time_that_is_left(
    api: FakeApi, cluster: LiveCluster
) -> None:
    api.faults |= {"get": "hang", "list": "hang"}
    view = cluster.within(0.3)
    for ask in (lambda: view.get(CLAIMS, "c", NAMESPACE), lambda: view.list(CLASSES)):
        with pytest.raises(ClusterUnavailable):
            ask()


def test_after_the_deadline_nothing_is_asked(api: FakeApi, cluster: LiveCluster) -> None:
    view = cluster.within(0.0)
    with pytest.raises(ClusterUnavailable, match="did not answer in time"):
        view.get(CLAIMS, "c", NAMESPACE)
    assert api.requests == []


def test_a_kind_that_is_not_watched_is_read_when_asked_for(api: FakeApi, ready: LiveCluster) -> None:
    api.put(PERSISTENT_VOLUMES, persistent_volume("pv", protocol="block"))
    facts = ready.within(SECONDS).get(PERSISTENT_VOLUMES, "pv")
    assert facts is not None
    assert facts.protocol == "block"
    assert "persistentvolumes" not in {asked.path.rpartition("/")[2] for asked in api.asked("watch")}


IMPOSSIBLE = [
    "",
    ".",
    "..",
    "../secrets/token",
    "a/b",
    "a?watch=true",
    "a#b",
    "a%2fb",
    "A",
    "a_b",
    "-a",
    "a-",
    "é",
    "a\n",
]


@pytest.mark.parametrize("name", [*IMPOSSIBLE, "a" * 254], ids=lambda name: repr(name[:20]))
def test_a_name_that_nothing_can_have_is_never_put_into_a_url(api: FakeApi, ready: LiveCluster, name: str) -> None:
    before = len(api.requests)
    for confirm in (False, True):
        view = ready.within(SECONDS, confirm=confirm)
        assert view.get(CLAIMS, name, NAMESPACE) is None
        assert view.get(PERSISTENT_VOLUMES, name) is None
        if name:
            assert view.get(CLAIMS, "c", name) is None
    assert len(api.requests) == before


@pytest.mark.parametrize("name", ["a", "0", "a-b", "pvc-2ddfd6b3", "a.b.c", "a" * 253])
def test_a_name_that_an_object_can_have_is_asked_for(name: str) -> None:
    assert can_be_name(name)


def test_it_is_ready_once_every_watched_kind_was_listed(api: FakeApi, cluster: LiveCluster) -> None:
    assert set(cluster.unready()) == {resource.plural for resource in WATCHED}
    assert set(cluster.unready().values()) == {"not listed yet"}
    cluster.start()
    api.await_that(lambda: not cluster.unready(), "ready cluster")


def test_what_keeps_it_from_being_ready_is_told(api: FakeApi, cluster: LiveCluster) -> None:
    api.faults["list"] = 403
    cluster.start()
    why = "the API server answered 403: fault 403"
    expected = {resource.plural: why for resource in WATCHED if not resource.optional}
    api.await_that(lambda: cluster.unready() == expected, "reasons")


def test_the_age_of_each_cache_counts_from_the_last_word(api: FakeApi, ready: LiveCluster) -> None:
    assert ready.ages().keys() == {resource.plural for resource in WATCHED}
    api.faults |= {"list": 500, "watch": 500}
    api.record_event(NODES, GONE)
    api.await_that(lambda: ready.ages()["nodes"] > 0.3, "age")
    api.faults.clear()
    api.await_that(lambda: ready.ages()["nodes"] < 0.3, "word")


def test_an_object_watched_beside_the_kinds_is_answered_from_its_watch_and_no_verdict_waits_for_it(
    api: FakeApi, cluster: LiveCluster
) -> None:
    api.put(ONE[0], {"metadata": {"name": "ca", "namespace": "webhook"}})
    cluster.watch(ONE[0], lambda: None)
    assert "secrets" not in cluster.unready()
    cluster.start()
    api.await_that(lambda: cluster.reflector(ONE[0]), "list")
    assert cluster.get(ONE[0], "ca", "webhook")
    assert "/api/v1/namespaces/webhook/secrets/ca" not in [asked.path for asked in api.requests]


def test_a_profile_is_found_by_its_class(api: FakeApi, ready: LiveCluster) -> None:
    api.put(PROFILES, storage_profile("nas", ([RWX], "Filesystem")))
    api.await_that(lambda: ready.within(SECONDS).get(PROFILES, "nas"), "profile")
    assert gets(api).count("/apis/cdi.kubevirt.io/v1beta1/storageprofiles/nas") <= 1


def test_stop_ends_every_watch(api: FakeApi, ready: LiveCluster) -> None:
    api.await_that(lambda: all(cache._response for cache in ready._reflectors.values()), "open streams")
    ready.stop()
    assert not [cache for cache in ready._reflectors.values() if cache._thread.is_alive()]
