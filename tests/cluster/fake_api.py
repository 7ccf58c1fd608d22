"""A small Kubernetes API server on loopback that fails on demand and records what it was asked."""

import itertools
import json
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from tests.build import Object
from webhook.cluster.resources import Resource

DEADLINE = 120.0
Events = queue.SimpleQueue[Object | None]
GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old", "metadata": {}}}


class Asked(NamedTuple):
    """A request to "list", "watch" or "get", and when it came by the monotonic clock."""

    verb: str
    path: str
    query: dict[str, str]
    at: float


class FakeApi:
    """Lists, gets and watches objects of these kinds that were put into it.

    ``faults`` says what goes wrong, by verb, or by "list" and page ("list 1"): a number is the HTTP status to answer
    with; "gone" ends a watch with an ERROR event, "close" at once, on "silent" nothing comes; "hang" answers nothing.
    """

    def __init__(self, *resources: Resource[Any]) -> None:
        self.faults: dict[str, int | str] = {}
        self.objects: dict[str, dict[str, Object]] = {resource.path: {} for resource in resources}
        self.history: list[tuple[int, str, Object]] = []
        self.requests: list[Asked] = []
        self.watches: list[tuple[str, Events]] = []
        self.changed, self.ending = threading.Condition(), threading.Event()
        self.versions = itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": self}))
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def let_go(self) -> None:
        """From now on hold no request back."""
        self.ending.set()
        self.end_watches()

    def put(self, resource: Resource[Any], obj: Object, *, quietly: bool = False, gone: bool = False) -> None:
        """Create, change or (``gone``) delete an object; ``quietly``: no watch ever hears of it."""
        metadata = obj["metadata"]
        path = resource.path_of(metadata["name"], metadata.get("namespace", ""))
        stored = {**obj, "metadata": {**metadata, "resourceVersion": str(next(self.versions))}}
        with self.changed:
            known = self.objects[resource.path]
            kind = "DELETED" if gone else "MODIFIED" if path in known else "ADDED"
            known[path] = stored
            if gone:
                del known[path]
            if not quietly:
                self.record_event(resource, {"type": kind, "object": stored})

    def record_event(self, resource: Resource[Any], event: Object) -> None:
        """Send an event to every watch of the kind, also to those that begin further back."""
        with self.changed:
            self.history.append((next(self.versions), resource.path, event))
            for events in (events for path, events in self.watches if path == resource.path):
                events.put(event)

    def end_watches(self) -> None:
        """Close every open watch, as the API server does after ``timeoutSeconds``."""
        with self.changed:
            for _, events in self.watches:
                events.put(None)
            self.watches.clear()

    def asked(self, verb: str, count: int = 0) -> list[Asked]:
        """Return the requests with a verb so far, once there are at least so many."""
        self.await_that(lambda: sum(asked.verb == verb for asked in self.requests) >= count, f"{count} to {verb}")
        return [asked for asked in self.requests if asked.verb == verb]

    def await_that(self, condition: Callable[[], object], what: str) -> None:
        """Return when the condition holds; fails after the deadline."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"no {what} within {DEADLINE:g} s"
            with self.changed:
                self.changed.wait(0.01)


class _Handler(BaseHTTPRequestHandler):
    api: FakeApi

    def do_GET(self) -> None:
        api, url, events = self.api, urlsplit(self.path), Events()
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        verb = "watch" if "watch" in query else "list" if url.path in api.objects else "get"
        fault = api.faults.get(f"{verb} {query.get('continue', 0)}", api.faults.get(verb))
        with api.changed:
            api.requests.append(Asked(verb, url.path, query, time.monotonic()))
            if verb == "watch" and not isinstance(fault, int):
                for version, path, event in api.history:
                    if path == url.path and version > int(query["resourceVersion"]):
                        events.put(event)
                api.watches.append((url.path, events))
            found = next((known[url.path] for known in api.objects.values() if url.path in known), None)
            some, version = [*api.objects.get(url.path, {}).values()], next(api.versions)
            api.changed.notify_all()
        if fault == "hang":
            api.ending.wait()
        elif isinstance(fault, int):
            self._answer(fault, {"code": fault, "message": f"fault {fault}"})
        elif verb == "watch":
            self._watch(events, fault)
        elif verb == "list":
            page, limit = int(query.get("continue", 0)), int(query["limit"])
            more = {"continue": str(page + 1)} if len(some) > (page + 1) * limit else {}
            metadata = {"resourceVersion": str(version), **more}
            self._answer(200, {"metadata": metadata, "items": some[page * limit : (page + 1) * limit]})
        else:
            self._answer(200 if found else 404, found or {"code": 404, "message": "not found"})

    def _watch(self, events: Events, fault: str | None) -> None:
        """Send events until the connection ends, with which a body of HTTP/1.0 ends."""
        if fault in ("gone", "close") or self.api.ending.is_set():
            events = Events()
            events.put(GONE if fault == "gone" else None)
            events.put(None)
        self._answer(200)
        with suppress(ConnectionError):
            while event := events.get():
                self.wfile.write(b"" if fault == "silent" else json.dumps(event).encode() + b"\n")

    def _answer(self, status: int, body: Object | None = None) -> None:
        self.send_response(status)
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(json.dumps(body).encode() if body else b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""
