"""Calls to an API server until a deadline."""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import urllib3

from webhook.cluster import ClusterUnavailable
from webhook.cluster import api as module
from webhook.cluster.api import Api, ApiError, Client

PATH = "/api/v1/things"
CALLS: dict[str, Callable[[Client], Any]] = {
    "get": lambda client: client.get(PATH),
    "list": lambda client: list(client.list(PATH)),
    "create": lambda client: client.create(PATH, {}),
    "replace": lambda client: client.replace(PATH, {}),
    "apply": lambda client: client.apply(PATH, {}),
    "patch": lambda client: client.patch(PATH, []),
    "delete": lambda client: client.delete(PATH),
}


class RecordingApi(Api):
    """Answers every call alike, and records the calls and how long each may take."""

    def __init__(self, answer: Any = None) -> None:
        super().__init__("http://127.0.0.1:1", urllib3.PoolManager())
        self.answer = answer or {}
        self.calls: list[tuple[str, Any]] = []
        self.timeouts: list[float] = []

    def call(
        self, method: str, path: str, query: Any = None, body: Any = None, *, timeout: float, **_: str
    ) -> dict[str, Any]:
        self.calls.append((method, query))
        self.timeouts.append(timeout)
        if isinstance(self.answer, Exception):
            raise self.answer
        return dict(self.answer(query) if callable(self.answer) else self.answer)


def test_an_absent_object_is_none_and_its_deletion_no_error() -> None:
    client = RecordingApi(ApiError(404, "not found")).within(60)
    assert client.get(PATH) is None
    client.delete(PATH)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_raises_an_error_status_and_none_is_made_after_the_deadline(call: Callable[[Client], Any]) -> None:
    with pytest.raises(ApiError, match="403: forbidden"):
        call(RecordingApi(ApiError(403, "forbidden")).within(60))
    api = RecordingApi()
    with pytest.raises(ClusterUnavailable, match="did not answer in time"):
        call(api.until(time.monotonic()))
    assert api.calls == []


def test_a_call_may_take_what_is_left_until_the_deadline_but_no_longer_than_its_limit() -> None:
    api = RecordingApi()
    api.within(60).get(PATH)
    api.within(60, longest=5).get(PATH)
    api.until(math.inf, longest=5).get(PATH)
    assert (50 < api.timeouts[0] <= 60, api.timeouts[1:]) == (True, [5, 5])


def test_a_collection_is_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    rest = {"": {"metadata": {"continue": "next"}, "items": [1, 2]}, "next": {"items": [3]}}
    api = RecordingApi(lambda query: rest[query.get("continue", "")])
    assert list(api.within(60).list(PATH, {"labelSelector": "a=b"})) == [1, 2, 3]
    first = {"labelSelector": "a=b", "limit": "2"}
    assert api.calls == [("GET", first), ("GET", {**first, "continue": "next"})]


def test_only_a_dry_run_asks_for_one() -> None:
    api = RecordingApi()
    api.within(60).create(PATH, {}, dry_run=True)
    api.within(60).create(PATH, {})
    assert api.calls == [("POST", {"dryRun": "All"}), ("POST", None)]


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=300), timedelta(days=-300)])
def test_the_api_servers_clock_counts_and_a_jump_of_the_nodes_clock_does_not(
    ahead: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_time = datetime.now(UTC) + ahead
    answer = urllib3.HTTPResponse(b"{}", {"Date": format_datetime(server_time, usegmt=True)}, 200)
    pool = cast(urllib3.PoolManager, SimpleNamespace(request=lambda *_, **__: answer))
    api = Api("http://127.0.0.1:1", pool)
    api.within(60).get(PATH)
    jumped = datetime.now(UTC) + timedelta(days=30)
    monkeypatch.setattr(module, "datetime", type("Jumped", (datetime,), {"now": classmethod(lambda *_: jumped)}))
    assert abs(api.now() - server_time) < timedelta(hours=1)


@pytest.mark.parametrize("content", ["[]", "clusters: {", "contexts: 1", "current-context: [x]"])
def test_an_invalid_kubeconfig_is_one_error_in_one_line(content: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(ClusterUnavailable, match=r"^no usable cluster configuration: .*\Z"):
        Api.connect(str(path))
