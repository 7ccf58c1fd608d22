"""An API server with faults, and caches of what it holds."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import urllib3

from tests.cluster.fake_api import DEADLINE, FakeApi
from webhook.cluster.api import Api
from webhook.cluster.reflector import Reflector
from webhook.cluster.resources import CLAIMS, RESOURCES, Resource, single

Start = Callable[..., Reflector[Any]]
ONE = (single("Secret", "", "v1", "ca", "webhook"),)  # an object that is watched alone


def end(api: FakeApi, caches: Iterable[Reflector[Any]]) -> None:
    """End caches that may just be opening a watch, with the server's help: their stop() has tests of its own."""
    for cache in caches:
        cache._stopping.set()
    api.let_go()
    for cache in caches:
        if cache._thread.is_alive():
            cache._thread.join(DEADLINE)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A server that knows every kind and holds nothing."""
    with FakeApi(*RESOURCES, *ONE) as running:
        yield running


@pytest.fixture
def connection(api: FakeApi) -> Iterator[Api]:
    """A connection to it."""
    with urllib3.PoolManager(maxsize=48) as pool:
        yield Api(api.url, pool)


@pytest.fixture
def start(api: FakeApi, connection: Api) -> Iterator[Start]:
    """Give what starts a cache and waits for its first list."""
    started = []

    def start(
        resource: Resource[Any] = CLAIMS, *, synced: bool = True, changed: Callable[[], None] = lambda: None
    ) -> Reflector[Any]:
        cache: Reflector[Any] = Reflector(connection, resource, changed)
        started.append(cache)
        cache.start()
        if synced:
            api.await_that(lambda: cache.synced, "first list")
        return cache

    yield start
    end(api, started)
