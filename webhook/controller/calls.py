"""The API server for one pass: no call is made after the pass' deadline, and an absent object is an answer."""

from __future__ import annotations

import time
from typing import Any

from webhook.cluster.api import Api, ApiError
from webhook.cluster.interface import ClusterUnavailable

MANAGER = "migratability-webhook"
"""Who we are among the managers of an object's fields."""
_LONGEST = 5.0
_ABSENT = 404


class Calls:
    """Calls to one API server until a deadline; each raises ApiError or ClusterUnavailable as `Api` does."""

    def __init__(self, api: Api, deadline: float) -> None:
        """Take the API server, and the time on the monotonic clock after which it is not asked any more."""
        self._api = api
        self._deadline = deadline

    def get(self, path: str, query: dict[str, str] | None = None) -> dict[str, Any] | None:
        """Return what is at a path, None where nothing is."""
        try:
            return self._api.get(path, query, timeout=self._patience())
        except ApiError as error:
            if error.status == _ABSENT:
                return None
            raise

    def create(self, path: str, body: dict[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """Return the object as it was created, or would have been."""
        return self._api.post(path, body, {"dryRun": "All"} if dry_run else None, timeout=self._patience())

    def replace(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the object as it is stored; raises ApiError with status 409 where it is not what was read."""
        return self._api.put(path, body, timeout=self._patience())

    def apply(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the object as it is stored with the fields that we want."""
        return self._api.apply(path, body, manager=MANAGER, timeout=self._patience())

    def patch(self, path: str, operations: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the object as it is stored after a JSON Patch."""
        return self._api.patch(path, operations, timeout=self._patience())

    def delete(self, path: str) -> None:
        """Delete what is at a path; nothing there is as good."""
        try:
            self._api.delete(path, timeout=self._patience())
        except ApiError as error:
            if error.status != _ABSENT:
                raise

    def _patience(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise ClusterUnavailable("the API server is too slow for one pass; the rest waits for the next")
        return min(left, _LONGEST)
