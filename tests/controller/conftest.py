"""A replica's thread on an API server in memory."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from certs import Serving
from tests.controller.fake import REPLICA, FakeApi, installation
from webhook.cluster import Snapshot
from webhook.cluster.live import LiveCluster
from webhook.controller import loop
from webhook.controller.loop import Controller
from webhook.settings import Settings

DEADLINE = 120.0


class FakeCluster:
    """What the controller asks of a live cluster."""

    def __init__(self, api: FakeApi) -> None:
        """Take the API server in memory."""
        self.api = api

    def within(self, seconds: float) -> Snapshot:
        """Return a cluster without anything in it."""
        return Snapshot()

    def reflector(self, resource: object) -> None:
        """Mirror nothing, so that no mark can be lifted."""


class Replica:
    """A controller, and the settings that it reads."""

    def __init__(self, api: FakeApi) -> None:
        """Begin nothing yet."""
        self.api = api
        self.settings = Settings()
        found = installation()
        self.serving = Serving(found.certificates.settle, "migratability-webhook.migratability.svc")
        cluster = cast(LiveCluster, FakeCluster(api))
        self.controller = Controller(found, REPLICA, cluster, lambda: self.settings, self.serving)

    @property
    def leads(self) -> bool:
        """Whether it says that it leads."""
        return self.controller.gauges()["migratability_leader"] == 1

    def await_that(self, condition: Callable[[], Any], what: str) -> None:
        """Return when the condition holds; fails after the deadline."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"no {what} within {DEADLINE:g} s"
            time.sleep(0.005)

    def await_passes(self, number: int = 3) -> None:
        """Return when so many passes have begun and ended."""
        until = self.api.passes + number + 1
        self.await_that(lambda: self.api.passes >= until, f"{number} passes")


@pytest.fixture
def api() -> FakeApi:
    """An API server with the ClusterRole of the release."""
    return FakeApi()


@pytest.fixture
def replica(api: FakeApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Replica]:
    """A replica that has not started, whose passes follow each other at once."""
    monkeypatch.setattr(loop, "PASS_SECONDS", 0.01)
    monkeypatch.setattr(loop, "PROBE_SECONDS", 0.01)
    caplog.set_level(logging.INFO)
    found = Replica(api)
    yield found
    found.controller.close()
