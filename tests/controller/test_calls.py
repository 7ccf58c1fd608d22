"""The calls of one pass."""

import time

import pytest

from tests.controller.fake import OWNER, FakeApi
from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import ApiError
from webhook.controller.calls import Calls


def test_what_is_not_there_is_an_answer() -> None:
    calls = Calls(FakeApi().as_api, float("inf"))
    assert calls.get("/none") is None
    calls.delete("/none")


def test_every_other_error_is_one() -> None:
    api = FakeApi()
    api.faults["/"] = ApiError(403, "you may not")
    calls = Calls(api.as_api, float("inf"))
    for call in (calls.get, calls.delete):
        with pytest.raises(ApiError, match="you may not"):
            call(OWNER)


def test_after_the_deadline_nothing_is_asked() -> None:
    """A leader whose Lease may have passed to another must write nothing more."""
    api = FakeApi()
    calls = Calls(api.as_api, time.monotonic() - 1)
    for call in (calls.get, calls.delete):
        with pytest.raises(ClusterUnavailable, match="too slow"):
            call(OWNER)
    assert api.writes == []
