"""A replica's thread on an API server in memory."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from certs import Serving
from tests.build import Object
from tests.controller.fake import REPLICA, FakeApi, installation
from webhook.cluster.live import LiveCluster
from webhook.cluster.reflector import key_of
from webhook.controller.loop import Controller
from webhook.settings import Settings

DEADLINE = 120.0


class Watches(LiveCluster):
    """A cluster whose watches see nothing but what the test shows them; until then the API server is asked."""

    def show(self, kind: str, *objects: Object) -> None:
        """Have the watch of a kind see these objects, as an event would."""
        reflector = self._reflectors[kind]
        reflector._facts = {key_of(obj): obj for obj in objects}
        reflector.synced = True
        reflector._changed()


class Replica:
    """A controller, and the settings that it reads."""

    def __init__(self, api: FakeApi) -> None:
        """Begin nothing yet."""
        self.api = api
        self.settings = Settings()
        found = installation()
        self.serving = Serving(found.certificates.trust_delay, "migratability-webhook.migratability.svc")
        self.cluster = Watches(api)
        self.controller = Controller(found, REPLICA, self.cluster, lambda: self.settings, self.serving)
        self.reconciles = self.ended = 0
        self.pause: float | None = None
        self._reconcile = self.controller._reconcile
        vars(self.controller)["_reconcile"] = self._counted  # the controller's own thread calls it

    def _counted(self) -> float | None:
        self.reconciles += 1
        try:
            self.pause = self._reconcile()
            return self.pause
        finally:
            self.ended += 1

    def show(self, objects: Mapping[str, Object | None]) -> None:
        """Have the watches see objects by kind, None for none; returns when the replica has reconciled with that."""
        before = self.reconciles
        for kind, obj in objects.items():
            self.cluster.show(kind, *([obj] if obj else []))
        self.await_that(lambda: before < self.reconciles == self.ended, "reconcile")

    @property
    def is_leader(self) -> bool:
        """Whether it reports that it is the leader."""
        return self.controller.gauges()["migratability_leader_election_master_status"] == 1

    def await_that(self, condition: Callable[[], Any], what: str) -> None:
        """Return when the condition holds; fails after the deadline."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"no {what} within {DEADLINE:g} s"
            time.sleep(0.005)

    def await_reconciles(self, number: int = 3) -> None:
        """Return when so many reconciles have begun and ended."""
        until = self.reconciles + number + 1
        self.await_that(lambda: self.reconciles >= until, f"{number} reconciles")


@pytest.fixture
def api() -> FakeApi:
    """An API server with the ClusterRole of the release."""
    return FakeApi()


@pytest.fixture
def replica(api: FakeApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Replica]:
    """A replica that has not started, which reconciles without pauses."""
    for name in ("loop.BURST_SECONDS", "reconciler.PROBE_SECONDS", "reconciler.RECONCILE_SECONDS"):
        monkeypatch.setattr(f"webhook.controller.{name}", 0.01)
    caplog.set_level(logging.INFO)
    found = Replica(api)
    yield found
    found.controller.close()
