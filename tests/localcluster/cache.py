"""A cache of the API's objects that notifies listeners of changes."""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from urllib.parse import urlencode

from tests.localcluster.api import NO_ANSWER, Client, Object

Listener = Callable[[Object, bool], None]
"""Called with an object and whether it still exists; must not block."""

_PAUSE = 0.2
_SILENCE = 330
_WATCH_SECONDS = 300


class Objects:
    """Objects of one resource."""

    def __init__(self) -> None:
        self._objects: dict[str, Object] = {}
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` on each change; the first who listens is the first who hears."""
        self._listeners.append(listener)

    def hear(self, obj: Object, *, exists: bool) -> None:
        """Store an object as it is now, and notify all listeners."""
        uid = obj["metadata"]["uid"]
        with self._lock:
            if exists:
                self._objects[uid] = obj
            else:
                self._objects.pop(uid, None)
        for listener in self._listeners:
            listener(obj, exists)

    def all(self) -> list[Object]:
        """Return the objects as they are now; they are not to be changed."""
        with self._lock:
            return list(self._objects.values())


class Cache(Objects):
    """All objects at `path` of the API, for example `/api/v1/pods`, kept as they are there by a watch."""

    def __init__(self, client: Client, path: str) -> None:
        super().__init__()
        self._client = client
        self._path = path
        self._connection: HTTPConnection | None = None
        self._stopped = threading.Event()
        self._synced = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"cache {path}", daemon=True)

    def start(self) -> None:
        """Begin to follow, and return when everything has been heard once."""
        self._thread.start()
        self._synced.wait(60)

    def stop(self) -> None:
        """Stop following."""
        self._stopped.set()
        with self._lock:
            self._hang_up()
        self._thread.join()

    def _follow(self) -> None:
        version = ""
        while not self._stopped.is_set():
            try:
                version = self._watch(version) if version else self._list()
                self._synced.set()
            except (*NO_ANSWER, ValueError, KeyError):
                version = ""
                self._stopped.wait(_PAUSE)

    def _list(self) -> str:
        answer = self._client.request("GET", self._path)
        if not answer.ok:
            raise OSError(f"{self._path}: status {answer.status}")
        listed = answer.object()
        found = {item["metadata"]["uid"]: item for item in listed["items"]}
        for gone in [obj for obj in self.all() if obj["metadata"]["uid"] not in found]:
            self.hear(gone, exists=False)
        for obj in found.values():
            self.hear(obj, exists=True)
        return str(listed["metadata"]["resourceVersion"])

    def _watch(self, version: str) -> str:
        """Follow until the server ends the watch; returns where to go on, or "" to begin again."""
        query = {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true"}
        connection = self._client.connection(_SILENCE)
        try:
            connection.request("GET", f"{self._path}?{urlencode({**query, 'timeoutSeconds': _WATCH_SECONDS})}")
            with self._lock:
                self._connection = connection
                if self._stopped.is_set():
                    return version
            response = connection.getresponse()
            while line := response.readline():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return ""
                obj = event["object"]
                version = obj["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self.hear(obj, exists=event["type"] != "DELETED")
            return version if response.status == 200 else ""
        finally:
            with self._lock:
                self._connection = None
            connection.close()

    def _hang_up(self) -> None:
        if self._connection is not None and self._connection.sock is not None:
            with suppress(OSError):
                # Below TLS: the thread that reads must find the end of the stream, not a socket without its TLS.
                socket.socket.shutdown(self._connection.sock, socket.SHUT_RDWR)
