"""The cache of one kind while its API server fails: it comes back, without haste, and says what is wrong."""

import itertools
import logging
import time

import pytest
import urllib3

from tests.build import NAMESPACE, RWX, claim, storage_profile
from tests.cluster.conftest import Start
from tests.cluster.fake_api import DEADLINE, FakeApi
from webhook.cluster.api import Api
from webhook.cluster.reflector import Reflector
from webhook.cluster.resources import CLAIMS, PROFILES, Resource


def gaps(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in itertools.pairwise(times)]


# 4. errors


@pytest.mark.parametrize("fault", ["gone", 410], ids=["as an event", "as a status"])
def test_a_watch_that_starts_too_far_back_is_followed_by_a_new_list(
    api: FakeApi, start: Start, fault: str | int
) -> None:
    api.faults["watch"] = fault
    cache = start()
    api.asked("list", 3)
    api.faults.clear()
    api.put(CLAIMS, claim("after", RWX))
    api.await_that(lambda: cache.get((NAMESPACE, "after")), "PVC after the error")


HASTE: dict[str, tuple[str, str | int]] = {
    "a watch that ends at once": ("watch", "close"),
    "a watch that is always too old, as an event": ("watch", "gone"),
    "a watch that is always too old, as a status": ("watch", 410),
    "a watch that times out": ("watch", 504),
    "a watch that is forbidden": ("watch", 403),
    "a list that fails": ("list", 500),
    "a list that is forbidden": ("list", 403),
    "a list without a login": ("list", 401),
}


@pytest.mark.parametrize(("verb", "fault"), HASTE.values(), ids=HASTE)
def test_whatever_keeps_failing_is_asked_less_and_less_often(
    api: FakeApi, start: Start, verb: str, fault: str | int
) -> None:
    api.faults[verb] = fault
    start(synced=False)
    times = [asked.at for asked in api.asked("watch" if fault == "close" else "list", 4)]
    assert [gap >= least for gap, least in zip(gaps(times), (0.1, 0.2, 0.4), strict=True)] == [True] * 3
    assert len(api.asked("watch")) <= 4


def test_the_same_fault_again_is_logged_once(api: FakeApi, start: Start, caplog: pytest.LogCaptureFixture) -> None:
    api.faults["watch"] = "close"
    start(synced=False)
    api.asked("watch", 4)
    assert [record.message for record in caplog.records] == [
        "watch of persistentvolumeclaims: the watch ends as soon as it starts"
    ]


def test_an_error_is_told_until_it_is_over(api: FakeApi, start: Start, caplog: pytest.LogCaptureFixture) -> None:
    api.faults["list"] = 403
    cache = start(synced=False)
    api.asked("list", 3)
    assert cache.error == "the API server answered 403: fault 403"
    assert not cache.synced
    api.faults.clear()
    api.await_that(lambda: cache.synced, "list")
    assert cache.error is None
    assert [record.getMessage() for record in caplog.records] == [
        "watch of persistentvolumeclaims: the API server answered 403: fault 403"
    ], "the same words are logged once"


def test_what_was_listed_is_kept_while_the_server_fails(api: FakeApi, start: Start) -> None:
    api.put(CLAIMS, claim("c", RWX))
    cache = start()
    api.asked("watch", 1)
    api.faults |= {"list": 500, "watch": 500}
    api.end_watches()
    api.asked("list", 3)
    assert cache.get((NAMESPACE, "c")) is not None


# 5. kinds that are not there


def test_a_kind_that_an_optional_operator_brings_may_be_absent(api: FakeApi, start: Start) -> None:
    api.faults["list"] = 404
    cache = start(PROFILES)
    assert (cache.absent, tuple(cache.values())) == (True, ())


def test_an_absent_kind_is_mirrored_once_it_is_there(api: FakeApi, start: Start) -> None:
    api.faults["list"] = 404
    cache = start(PROFILES)
    api.put(PROFILES, storage_profile("nas"))
    api.faults.clear()
    api.await_that(lambda: not cache.absent, "list")
    assert cache.get(("", "nas")) is not None


def test_a_kind_of_kubernetes_itself_is_never_taken_for_absent(api: FakeApi, start: Start) -> None:
    api.faults["list"] = 404
    cache = start(synced=False)
    api.asked("list", 2)
    assert (cache.synced, cache.absent) == (False, False)


# 9. what nobody thought of


def test_an_error_that_nobody_thought_of_is_logged_and_tried_again(
    api: FakeApi, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    broken = iter([True])

    def read(obj: object) -> object:
        if next(broken, False):
            raise ZeroDivisionError("no such luck")
        return obj

    api.put(CLAIMS, claim("c", RWX))
    odd = Resource("Odd", CLAIMS.group, CLAIMS.version, read, watched=True, optional=False)
    cache = start(odd)
    assert len(cache.values()) == 1
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert "no such luck" in str(record.exc_info[1])


def test_a_server_that_is_not_there_is_waited_for(start: Start) -> None:
    cache = Reflector(Api("http://127.0.0.1:1", urllib3.PoolManager()), CLAIMS)
    cache.start()
    deadline = time.monotonic() + DEADLINE
    while cache.error is None and time.monotonic() < deadline:
        cache._stopping.wait(0.01)
    cache.stop()
    assert "out of reach" in (cache.error or "")
