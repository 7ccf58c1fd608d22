"""The cache of one kind while its API server fails: it recovers, backs off, and reports the error."""

import itertools
import logging
from dataclasses import replace
from typing import Any

import pytest
import urllib3

from tests.build import NAMESPACE, RWX, claim, storage_profile
from tests.cluster.conftest import Start
from tests.cluster.fake_api import FakeApi
from webhook.cluster.api import Api
from webhook.cluster.reflector import Reflector
from webhook.cluster.resources import CLAIMS, PROFILES

FAILING: dict[str, tuple[str, str | int]] = {
    "a watch that ends at once": ("watch", "close"),
    "a watch that is always too old, as an event": ("watch", "gone"),
    "a watch that is always too old, as a status": ("watch", 410),
    "a watch that times out": ("watch", 504),
    "a list that fails": ("list", 500),
}


@pytest.mark.parametrize(("verb", "fault"), FAILING.values(), ids=FAILING)
def test_a_request_that_keeps_failing_is_repeated_less_and_less_often_until_it_succeeds(
    api: FakeApi, start: Start, verb: str, fault: str | int
) -> None:
    api.faults[verb] = fault
    cache = start(synced=False)
    times = [asked.at for asked in api.asked("watch" if fault == "close" else "list", 4)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert [gap >= least for gap, least in zip(gaps, (0.1, 0.2, 0.4), strict=False)] == [True] * 3
    assert len(api.asked("watch")) <= 4
    api.faults.clear()
    api.put(CLAIMS, claim("after", RWX))
    api.await_that(lambda: cache.get((NAMESPACE, "after")), "PVC after the error")


REPORTED = [
    ("watch", "close", "the watch ends as soon as it starts"),
    ("list", 403, "the API server answered 403: fault 403"),
]


@pytest.mark.parametrize(("verb", "fault", "error"), REPORTED)
def test_an_error_is_reported_until_it_is_over_and_logged_once(
    api: FakeApi, start: Start, caplog: pytest.LogCaptureFixture, verb: str, fault: str | int, error: str
) -> None:
    api.faults[verb] = fault
    cache = start(synced=False)
    api.asked(verb, 3)
    assert (cache.error, cache.synced) == (error, verb == "watch")
    assert [record.message for record in caplog.records] == [f"watch of persistentvolumeclaims: {error}"]
    api.faults.clear()
    api.put(CLAIMS, claim("after", RWX))
    api.await_that(lambda: cache.get((NAMESPACE, "after")), "event")
    assert cache.error is None


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
