"""A cache of all objects of one kind, kept by list and watch in a thread of its own.

It copes with a list that expires between two pages, a watch that falls silent, ends at once or starts too far back,
missing permissions, and a kind that the API server does not know.
"""

from __future__ import annotations

import json
import logging
import math
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar

import urllib3

from webhook.cluster.api import GONE, NOT_FOUND, Api, ApiError
from webhook.cluster.interface import ClusterUnavailable
from webhook.cluster.resources import Resource
from webhook.objects import Object, at, mapping, text

Fact = TypeVar("Fact")
Key = tuple[str, str]

SILENCE = 80.0
"""Seconds without a byte after which a watch is dead; the API server sends a bookmark about every 60."""
WATCH, WATCH_OF_ONE = (240, 300), (20, 30)
"""Seconds, at least and at most, after which a watch starts again; only then the API server checks the right."""
LIST_TIMEOUT = 30.0
_LONGEST_PAUSE = 30.0
_STEADY = 10.0
_PAUSE_BETWEEN_PAGES = 0.002
_FORBIDDEN = 403

log = logging.getLogger(__name__)


class Reflector(Generic[Fact]):
    """The facts of all objects of a kind, or of its ``only`` one.

    Reads take no lock: a list replaces the whole dictionary, an event replaces one entry.
    """

    def __init__(self, api: Api, resource: Resource[Fact], changed: Callable[[], None] = lambda: None) -> None:
        """Take the API server and the kind; ``changed`` is called when an object may have changed."""
        self.resource = resource
        self.synced = False
        self.absent = False
        self.error: str | None = None
        self._api = api
        self._changed = changed
        self._facts: dict[Key, Fact] = {}
        self._heard = time.monotonic()
        self._stopping = threading.Event()
        self._version: str | None = None
        self._response: urllib3.BaseHTTPResponse | None = None
        self._thread = threading.Thread(target=self._run, name=f"watch {resource.plural}", daemon=True)

    def start(self) -> None:
        """Start the thread; must be called in the process that reads."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, also while it waits for an event."""
        self._stopping.set()
        self._hang_up()
        if self._thread.is_alive():
            self._thread.join()

    def get(self, key: Key) -> Fact | None:
        """Return the facts of the object with this namespace ("" where it has none) and name, or None."""
        return self._facts.get(key)

    def values(self) -> Collection[Fact]:
        """Return the facts of all objects."""
        return tuple(self._facts.values())

    @property
    def age(self) -> float:
        """Seconds since the API server last answered about this kind."""
        return time.monotonic() - self._heard

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._follow()
            except ClusterUnavailable as error:
                self._failed(error)
            except Exception:
                self.error, self._version = "unexpected error, see the log", None
                log.exception("watch of %s failed", self.resource.plural)
            failures = 0 if time.monotonic() - began > _STEADY else failures + 1
            self._stopping.wait(min(_LONGEST_PAUSE, 0.1 * 2 ** min(failures, 10)) * random.uniform(0.5, 1.0))

    def _failed(self, error: ClusterUnavailable) -> None:
        if self._stopping.is_set():
            return
        if isinstance(error, ApiError) and self._is_absent(error.status):
            self._facts, self.absent, self.synced = {}, True, True
            self._heard = time.monotonic()
        elif str(error) != self.error:
            log.warning("watch of %s: %s", self.resource.plural, error)
        self.error = str(error)

    def _is_absent(self, status: int) -> bool:
        """An optional kind is absent where the API server does not know it or never allowed us to read it.

        A kind that is forbidden after it was read may be so only while the API server starts.
        """
        never_read = self.absent or not self.synced
        return self.resource.optional and (status == NOT_FOUND or (status == _FORBIDDEN and never_read))

    def _follow(self) -> None:
        """List, then watch from there; a watch that failed resumes where it was, unless that is too long ago."""
        if self._version is None:
            self._version, self.error = self._list(), None
        self.synced, self.absent = True, False
        self._changed()
        while not self._stopping.is_set():
            try:
                self._watch(self._version)
            except ApiError as error:
                self._version = None
                if error.status == GONE:
                    return
                raise

    def _list(self) -> str:
        resource, found, version = self.resource, {}, None
        client = self._api.until(math.inf, longest=LIST_TIMEOUT)
        for page in client.pages(resource.path, resource.query, metadata_only=resource.metadata_only):
            self._heard = time.monotonic()
            for obj in page.get("items") or ():
                if (fact := resource.read(obj)) is not None:
                    found[key_of(obj)] = fact
            version = text(at(page, "metadata", "resourceVersion"))
            self._stopping.wait(_PAUSE_BETWEEN_PAGES)
        self._facts = found
        return version or "0"

    def _watch(self, version: str) -> None:
        """Follow the events after a version until the stream ends, and remember the last version seen."""
        query = {
            **self.resource.query,
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(random.randint(*(WATCH_OF_ONE if self.resource.only else WATCH))),
        }
        began = time.monotonic()
        with self._api.stream(
            self.resource.path, query, silence=SILENCE, metadata_only=self.resource.metadata_only
        ) as response:
            self._response, self._heard = response, time.monotonic()
            if self._stopping.is_set():
                return
            try:
                for event in _events(response):
                    self._heard, self.error = time.monotonic(), None
                    self._version = self._apply(event) or self._version
            finally:
                self._response = None
        if time.monotonic() - began < 1.0 and not self._stopping.is_set():
            raise ClusterUnavailable("the watch ends as soon as it starts")
        self.error = None

    def _hang_up(self) -> None:
        response = self._response
        if isinstance(response, urllib3.HTTPResponse):
            with suppress(OSError, RuntimeError, ValueError):  # it may be ending by itself
                response.shutdown()

    def _apply(self, event: Object) -> str | None:
        kind, obj = event.get("type"), mapping(event.get("object"))
        if kind == "ERROR":
            raise ApiError(int(obj.get("code") or 500), str(obj.get("message")))
        fact = self.resource.read(obj) if kind in ("ADDED", "MODIFIED") else None
        if fact is not None:
            self._facts[key_of(obj)] = fact
        elif kind in ("MODIFIED", "DELETED"):
            self._facts.pop(key_of(obj), None)
        if kind != "BOOKMARK":
            self._changed()
        return text(at(obj, "metadata", "resourceVersion"))


def key_of(obj: Object) -> Key:
    """Return the namespace ("" where it has none) and name of an object."""
    return text(at(obj, "metadata", "namespace")) or "", text(at(obj, "metadata", "name")) or ""


def _events(response: urllib3.BaseHTTPResponse) -> Iterator[dict[str, Any]]:
    """Yield the events of a watch, one JSON object per line; raises ClusterUnavailable where the stream breaks."""
    rest = b""
    try:
        while chunk := response.read1(1 << 16):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (json.loads(line) for line in lines if line.strip())
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise ClusterUnavailable(f"the watch failed: {error}") from error
