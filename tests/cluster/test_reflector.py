"""The cache of one kind: what it asks the API server and keeps of the answers, what it does while that fails."""

import itertools
import logging
import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3

from tests.build import NAMESPACE, ROX, RWO, RWX, claim, storage_profile
from tests.cluster.conftest import ONE, Start
from tests.cluster.fake_api import DEADLINE, GONE, FakeApi
from webhook.cluster import api as api_module
from webhook.cluster import reflector as module
from webhook.cluster.api import Api
from webhook.cluster.facts import ClaimFacts
from webhook.cluster.live import STALE_OF_ONE
from webhook.cluster.reflector import WATCH_OF_ONE, Reflector
from webhook.cluster.resources import CLAIMS, PROFILES


def modes(cache: Reflector[Any], name: str) -> tuple[str, ...] | None:
    facts = cache.get((NAMESPACE, name))
    return facts.access_modes if facts else None


def test_a_list_that_expires_between_two_pages_starts_again_and_is_cached_whole(
    api: FakeApi, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_module, "PAGE", 2)
    for number in range(5):
        api.put(CLAIMS, claim(f"c{number}", RWX))
    api.faults["list 1"] = 410
    cache = start(synced=False)
    assert "continue" not in api.asked("list", 3)[2].query
    assert (cache.synced, cache.values()) == (False, ())
    api.faults.clear()
    api.await_that(lambda: cache.synced, "list")
    assert [modes(cache, f"c{number}") for number in range(5)] == [(RWX,)] * 5
    asked = [(asked.query["limit"], asked.query.get("continue")) for asked in api.asked("list")]
    assert asked[-3:] == [("2", None), ("2", "1"), ("2", "2")]


def test_an_object_is_kept_until_a_new_list_does_not_hold_it(api: FakeApi, start: Start) -> None:
    api.put(CLAIMS, claim("stays", RWX))
    api.put(CLAIMS, claim("goes", RWX))
    cache = start()
    api.asked("watch", 1)
    api.put(CLAIMS, claim("goes", RWX), quietly=True, gone=True)
    api.faults |= {"list": 500, "watch": 500}
    api.record_event(CLAIMS, GONE)
    api.asked("list", 3)
    assert modes(cache, "goes") == (RWX,), "what was listed is kept while the server fails"
    api.faults.clear()
    api.await_that(lambda: modes(cache, "goes") is None, "removal")
    assert modes(cache, "stays") == (RWX,)


def test_events_are_followed_unknown_ones_ignored_and_all_but_bookmarks_reported(api: FakeApi, start: Start) -> None:
    calls: list[bool] = []
    cache = start(changed=lambda: calls.append(True))
    api.asked("watch", 1)
    for _ in range(2):
        api.record_event(CLAIMS, {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "77"}}})
    api.put(CLAIMS, claim("new", RWO))
    api.await_that(lambda: modes(cache, "new") == (RWO,), "ADDED")
    api.put(CLAIMS, claim("new", RWX, ROX))
    api.await_that(lambda: modes(cache, "new") == (RWX, ROX), "MODIFIED")
    api.put(CLAIMS, claim("new", RWX), gone=True)
    api.await_that(lambda: modes(cache, "new") is None, "DELETED")
    api.await_that(lambda: len(calls) >= 4, "call after the last event")
    assert len(calls) == 4
    api.record_event(CLAIMS, {"type": "SURPRISE", "object": {"metadata": {}}})
    api.put(CLAIMS, claim("last", RWX))
    api.await_that(lambda: modes(cache, "last"), "what follows the unknown type")
    assert (len(api.asked("list")), len(api.asked("watch"))) == (1, 1)


def test_a_watch_starts_where_the_list_ended_and_its_limits_fit_the_api_server(api: FakeApi, start: Start) -> None:
    api.put(CLAIMS, claim("c", RWX), quietly=True)
    start()
    (asked,) = api.asked("watch", 1)
    assert (asked.query["resourceVersion"], asked.query["allowWatchBookmarks"]) == ("2", "true")
    assert 240 <= int(asked.query["timeoutSeconds"]) <= 300
    assert WATCH_OF_ONE[1] < STALE_OF_ONE, "a right that is taken away is noticed when the watch starts again"
    assert 100 <= api_module.PAGE <= 250, "a page holds up no other request"
    assert 75 <= module.SILENCE <= 90, "a bookmark comes about every 60 s"


@pytest.mark.parametrize("kind", ["MODIFIED", "BOOKMARK"])
def test_the_next_watch_starts_after_the_last_event(
    api: FakeApi, start: Start, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = SimpleNamespace(monotonic=lambda: time.monotonic() * 1_000_000)
    monkeypatch.setattr(module, "time", fast)  # so that the stream lives long enough
    start()
    api.asked("watch", 1)
    metadata = {"name": "c", "namespace": NAMESPACE, "resourceVersion": "77"}
    api.record_event(CLAIMS, {"type": kind, "object": {"metadata": metadata}})
    api.end_watches()
    assert [asked.query["resourceVersion"] for asked in api.asked("watch", 2)][1] == "77"
    assert len(api.asked("list")) == 1


def test_what_a_silent_watch_misses_is_caught_up(api: FakeApi, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE", 0.2)
    api.faults["watch"] = "silent"
    cache = start()
    api.asked("watch", 1)
    api.put(CLAIMS, claim("missed", RWX))
    api.faults.clear()
    api.await_that(lambda: modes(cache, "missed"), "what the silent watch kept back")
    assert len(api.asked("list")) == 1


def test_one_object_is_watched_by_name_and_kept_whole_with_its_kind(api: FakeApi, start: Start) -> None:
    api.put(ONE[0], {"metadata": {"name": "ca", "namespace": "webhook"}, "data": {"a": "b"}})
    found = start(ONE[0]).get(("webhook", "ca")) or {}
    assert (found["apiVersion"], found["kind"], found["data"]) == ("v1", "Secret", {"a": "b"})
    asked = {(asked.path, asked.query["fieldSelector"]) for verb in ("list", "watch") for asked in api.asked(verb, 1)}
    assert asked == {("/api/v1/namespaces/webhook/secrets", "metadata.name=ca")}


def test_only_facts_are_kept_and_repeated_strings_once(api: FakeApi, start: Start) -> None:
    for name in ("a", "b"):
        api.put(CLAIMS, claim(name, RWX, managedFields=[{"manager": "x" * 1000}]))
    one, other = start().values()
    assert (type(one), hasattr(one, "__dict__")) == (ClaimFacts, False)
    assert one.access_modes[0] is other.access_modes[0]


@pytest.mark.parametrize("fault", [("watch", ""), ("watch", "silent"), ("list", 500)], ids=repr)
def test_stop_ends_a_cache_whatever_it_waits_for(api: FakeApi, start: Start, fault: tuple[str, str | int]) -> None:
    api.faults |= [fault]
    cache = start(synced=False)
    if fault[0] == "watch":
        api.await_that(lambda: cache._response is not None, "open stream")
    else:
        api.asked("list", 3)
    stopping = threading.Thread(target=cache.stop)
    stopping.start()
    stopping.join(DEADLINE)
    assert (stopping.is_alive(), cache._thread.is_alive()) == (False, False)


FAILING: dict[str, tuple[str, str | int, str | None]] = {
    # verb, fault, error that is reported
    "a watch that ends at once": ("watch", "close", "the watch ends as soon as it starts"),
    "a watch that is always too old, as an event": ("watch", "gone", None),
    "a watch that is always too old, as a status": ("watch", 410, None),
    "a watch that times out": ("watch", 504, None),
    "a list that fails": ("list", 403, "the API server answered 403: fault 403"),
}


@pytest.mark.parametrize(("verb", "fault", "error"), FAILING.values(), ids=FAILING)
def test_a_request_that_keeps_failing_is_repeated_less_and_less_often_until_it_succeeds_and_logged_once(
    api: FakeApi, start: Start, caplog: pytest.LogCaptureFixture, verb: str, fault: str | int, error: str | None
) -> None:
    api.faults[verb] = fault
    cache = start(synced=False)
    times = [asked.at for asked in api.asked("watch" if fault == "close" else "list", 4)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert [gap >= least for gap, least in zip(gaps, (0.1, 0.2, 0.4), strict=False)] == [True] * 3
    assert len(api.asked("watch")) <= 4
    if error:
        assert (cache.error, cache.synced) == (error, verb == "watch")
        assert [record.message for record in caplog.records] == [f"watch of persistentvolumeclaims: {error}"]
    api.faults.clear()
    api.put(CLAIMS, claim("after", RWX))
    api.await_that(lambda: cache.get((NAMESPACE, "after")) and not cache.error, "PVC after the error")


def test_only_an_optional_kind_may_be_absent_and_is_cached_once_it_is_there(api: FakeApi, start: Start) -> None:
    api.faults["list"] = 404
    cache, needed = start(PROFILES), start(synced=False)
    assert (cache.absent, tuple(cache.values())) == (True, ())
    api.await_that(lambda: [asked.path for asked in api.requests].count(CLAIMS.path) > 1, "second list")
    assert (needed.synced, needed.absent) == (False, False)
    api.put(PROFILES, storage_profile("nas"))
    api.faults.clear()
    api.await_that(lambda: not cache.absent, "list")
    assert cache.get(("", "nas")) is not None


def test_an_unexpected_error_is_logged_and_the_list_repeated(
    api: FakeApi, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    broken = iter([True])

    def read(obj: object) -> Any:
        if next(broken, False):
            raise ZeroDivisionError("no such luck")
        return obj

    api.put(CLAIMS, claim("c", RWX))
    cache = start(replace(CLAIMS, read=read))
    assert len(cache.values()) == 1
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert "no such luck" in str(record.exc_info[1])


def test_a_server_that_is_not_there_is_out_of_reach_and_not_asked_before_the_start(api: FakeApi) -> None:
    cache = Reflector(Api("http://127.0.0.1:1", urllib3.PoolManager()), CLAIMS)
    assert cache.error is None
    cache.start()
    api.await_that(lambda: cache.error, "error")
    cache.stop()
    assert "out of reach" in (cache.error or "")
