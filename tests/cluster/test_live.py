"""A running cluster: its answers are fresh and in time, and never a guess."""

from collections.abc import Iterator

import pytest

from tests.build import NAMESPACE, RWO, RWX, claim, node, persistent_volume, storage_class
from tests.cluster.conftest import ONE, end
from tests.cluster.fake_api import GONE, FakeApi
from webhook.cluster import ClusterUnavailable, live
from webhook.cluster.api import Api, ApiError
from webhook.cluster.interface import Undecidable
from webhook.cluster.live import LiveCluster, LiveView
from webhook.cluster.reflector import SILENCE
from webhook.cluster.resources import CLAIMS, CLASSES, DATA_VOLUMES, NODES, PERSISTENT_VOLUMES, PROFILES, RESOURCES
from webhook.objects import can_be_name

SECONDS = 20.0
WATCHED = [resource for resource in RESOURCES if resource.watched]


@pytest.fixture
def cluster(api: FakeApi, connection: Api) -> Iterator[LiveCluster]:
    """A cluster with a StorageClass "nas" and a PVC "c" that was not started yet."""
    api.put(CLASSES, storage_class("nas"))
    api.put(CLAIMS, claim("c", RWO))
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


def gets(api: FakeApi) -> list[str]:
    return [asked.path.rpartition("/")[2] for asked in api.asked("get")]


def test_a_cached_pvc_is_returned_without_a_request_unless_confirmed(api: FakeApi, ready: LiveCluster) -> None:
    assert modes(ready, "c") == (RWO,)
    assert None not in (ready.get(CLASSES, "nas"), ready.get(CLASSES, "nas", NAMESPACE))
    assert gets(api) == []
    api.put(CLAIMS, claim("c", RWX), quietly=True)
    assert (modes(ready, "c"), modes(ready, "c", confirm=True)) == ((RWO,), (RWX,))
    api.put(CLAIMS, claim("c", RWX), quietly=True, gone=True)
    assert modes(ready, "c", confirm=True) is None


def test_what_no_cache_holds_is_read_once_from_the_server(api: FakeApi, ready: LiveCluster) -> None:
    api.put(CLAIMS, claim("new", RWX), quietly=True)
    api.put(PERSISTENT_VOLUMES, persistent_volume("of-no-watched-kind", protocol="block"))
    view = ready.within(SECONDS)
    assert modes(ready, "new") == (RWX,)
    assert [view.get(CLAIMS, "nowhere", NAMESPACE) for _ in range(3)] == [None] * 3
    volume = view.get(PERSISTENT_VOLUMES, "of-no-watched-kind")
    assert volume
    assert volume.protocol == "block"
    assert gets(api) == ["new", "nowhere", "of-no-watched-kind"]


def test_a_stale_cache_is_not_used(api: FakeApi, ready: LiveCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    assert live.STALE > SILENCE, "a silent watch is given up before"
    api.put(CLAIMS, claim("c", RWX), quietly=True)
    api.put(NODES, node("late"), quietly=True)
    monkeypatch.setattr(live, "STALE", 0.0)
    assert modes(ready, "c") == (RWX,)
    assert [found.name for found in ready.list(NODES)] == ["late"]


def test_before_the_first_list_the_server_is_asked(api: FakeApi, cluster: LiveCluster) -> None:
    assert modes(cluster, "c") == (RWO,)
    assert [found.name for found in cluster.list(CLASSES)] == ["nas"]
    assert [asked.path for asked in api.asked("list")] == [CLASSES.path]


@pytest.mark.parametrize("status", [404, 403])
def test_an_optional_kind_that_cannot_be_read_has_no_objects(api: FakeApi, cluster: LiveCluster, status: int) -> None:
    api.faults |= {"list": status, "get": status}
    assert (cluster.get(DATA_VOLUMES, "dv", NAMESPACE), cluster.list(PROFILES)) == (None, [])


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_another_error_of_the_server_is_undecidable(api: FakeApi, cluster: LiveCluster, status: int) -> None:
    api.faults |= {"list": status, "get": status}
    with pytest.raises(ApiError, match=f"the API server answered {status}: fault {status}"):
        cluster.get(CLAIMS, "c", NAMESPACE)
    with pytest.raises(Undecidable):
        cluster.list(CLASSES)


def test_an_absent_kind_is_not_asked_for_again(api: FakeApi, cluster: LiveCluster) -> None:
    api.faults["list"] = 404
    cluster.start()
    api.await_that(lambda: not set(cluster.unready()) & {"storageprofiles"}, "absent kind")
    assert (cluster.get(PROFILES, "nas"), gets(api)) == (None, [])


def ask_twice(view: LiveView) -> None:
    for ask in (lambda: view.get(CLAIMS, "c", NAMESPACE), lambda: view.list(CLASSES)):
        with pytest.raises(ClusterUnavailable):
            ask()


def test_a_server_that_does_not_answer_costs_only_the_time_that_is_left(api: FakeApi, cluster: LiveCluster) -> None:
    ask_twice(cluster.within(0.0))
    assert api.requests == []
    api.faults |= {"get": "hang", "list": "hang"}
    ask_twice(cluster.within(0.3))


IMPOSSIBLE = ["", ".", "..", "../secrets/token", "a?watch=true", "a#b", "a%2fb", "A", "a_b", "-a", "a-", "é", "a\n"]


@pytest.mark.parametrize("name", [*IMPOSSIBLE, "a" * 254], ids=lambda name: repr(name[:20]))
def test_a_name_that_no_object_can_have_is_never_put_into_a_url(api: FakeApi, cluster: LiveCluster, name: str) -> None:
    assert all(map(can_be_name, ("a", "0", "a-b", "pvc-2ddfd6b3", "a.b.c", "a" * 253)))
    for confirm in (False, True):
        view = cluster.within(SECONDS, confirm=confirm)
        assert view.get(CLAIMS, name, NAMESPACE) is None
        assert view.get(PERSISTENT_VOLUMES, name) is None
        assert not name or view.get(CLAIMS, "c", name) is None
    assert api.requests == []


def test_it_is_ready_once_every_watched_kind_was_listed_and_says_why_not(api: FakeApi, cluster: LiveCluster) -> None:
    assert cluster.unready() == {resource.plural: "not listed yet" for resource in WATCHED}
    started = [cache for cache in cluster._reflectors.values() if cache._thread.is_alive()]
    assert (started, api.requests) == ([], []), "nothing is asked before the start"
    api.faults["list"] = 403
    cluster.start()
    why = "the API server answered 403: fault 403"
    expected = {resource.plural: why for resource in WATCHED if not resource.optional}
    api.await_that(lambda: cluster.unready() == expected, "reasons")
    api.faults.clear()
    api.await_that(lambda: not cluster.unready(), "ready cluster")


def test_the_age_of_each_cache_counts_from_the_last_answer(api: FakeApi, ready: LiveCluster) -> None:
    assert ready.ages().keys() == {resource.plural for resource in WATCHED}
    api.faults |= {"list": 500, "watch": 500}
    api.record_event(NODES, GONE)
    api.await_that(lambda: ready.ages()["nodes"] > 0.3, "age")
    api.faults.clear()
    api.await_that(lambda: ready.ages()["nodes"] < 0.3, "answer")


def test_another_watched_object_is_cached_and_no_verdict_waits_for_it(api: FakeApi, cluster: LiveCluster) -> None:
    api.put(ONE[0], {"metadata": {"name": "ca", "namespace": "webhook"}})
    cluster.watch(ONE[0], lambda: None)
    assert "secrets" not in cluster.unready()
    cluster.start()
    api.await_that(lambda: cluster.reflector(ONE[0]), "list")
    assert cluster.get(ONE[0], "ca", "webhook")
    assert gets(api) == []


def test_stop_ends_every_watch(api: FakeApi, ready: LiveCluster) -> None:
    api.await_that(lambda: all(cache._response for cache in ready._reflectors.values()), "open streams")
    ready.stop()
    assert not [cache for cache in ready._reflectors.values() if cache._thread.is_alive()]
