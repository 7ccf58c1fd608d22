"""Requests to the API server over the official client's transport; answers are raw JSON."""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import urllib3

from webhook.cluster.interface import ClusterUnavailable
from webhook.objects import at, items

MANAGER = "migratability-webhook"
"""Our user agent, our field manager in server-side apply, and the component of our Events."""
PAGE = 250
"""Objects per page: decoding a whole list at once would block requests for as long."""
CONNECT_TIMEOUT = 3.0
NOT_FOUND, CONFLICT, GONE = 404, 409, 410
_SLOW_ANSWER = timedelta(seconds=10)
_MOST_CONNECTIONS = 48
_JSON = "application/json"
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_TRANSPORT_ERRORS = (urllib3.exceptions.HTTPError, OSError)


class ApiError(ClusterUnavailable):
    """The API server answered with an error; ``status`` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the API server answered {status}: {message}")
        self.status = status


class Api:
    """The connection to one API server. A `Client` makes requests through it until a deadline."""

    def __init__(
        self, host: str, pool: urllib3.PoolManager, credentials: Callable[[], Mapping[str, str]] = lambda: {}
    ) -> None:
        """Take the server's URL, a connection pool, and a function that returns the authentication headers.

        It is called for each request, because a service account's token is rotated.
        """
        self._host, self._pool, self._credentials = host, pool, credentials
        self._clock = datetime.now(UTC), time.monotonic()

    @classmethod
    def connect(cls, kubeconfig: str | None = None) -> Api:
        """Use this kubeconfig; without one, the service account inside a cluster, else the user's kubeconfig.

        Raises ClusterUnavailable where there is none. The official client is imported only here: it takes most of a
        second, which commands that need no cluster save.
        """
        from kubernetes import client, config

        configuration = client.Configuration()
        configuration.connection_pool_maxsize = _MOST_CONNECTIONS
        kubeconfig = kubeconfig or os.environ.get("KUBECONFIG") or None
        try:
            if "KUBERNETES_SERVICE_HOST" in os.environ and kubeconfig is None:
                config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            else:
                config.load_kube_config(kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
        except Exception as error:  # the client raises whatever an invalid file makes PyYAML or Python raise
            raise ClusterUnavailable(f"no usable cluster configuration: {' '.join(str(error).split())}") from error

        def credentials() -> dict[str, str]:
            token: Any = configuration.auth_settings().get("BearerToken")
            return {token["key"]: token["value"]} if token and token["value"] else {}

        return cls(configuration.host, client.ApiClient(configuration).rest_client.pool_manager, credentials)

    def now(self) -> datetime:
        """Return the time by the API server's clock, which decides whether a certificate is valid.

        It counts on from the last response, so that a jump of this node's clock changes nothing.
        """
        time_then, then = self._clock
        return time_then + timedelta(seconds=time.monotonic() - then)

    def until(self, deadline: float, *, longest: float = math.inf) -> Client:
        """Return a client for calls until a time on the monotonic clock, each limited to ``longest`` seconds."""
        return Client(self, deadline, longest)

    def within(self, seconds: float, *, longest: float = math.inf) -> Client:
        """Return a client for calls within so many seconds from now, each limited to ``longest`` seconds."""
        return self.until(time.monotonic() + seconds, longest=longest)

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        *,
        timeout: float,
        accept: str = _JSON,
        content_type: str = _JSON,
    ) -> dict[str, Any]:
        """Return the parsed answer to a request.

        Raises ApiError where the server answers with an error, ClusterUnavailable where it does not answer in time.
        """
        response = self._request(
            method,
            path,
            query,
            {"Accept": accept} | ({"Content-Type": content_type} if body is not None else {}),
            body=None if body is None else json.dumps(body).encode(),
            timeout=urllib3.Timeout(total=timeout),
        )
        if response.status not in (200, 201, 202):
            raise ApiError(response.status, _message(response.data, response.reason))
        try:
            answer = json.loads(response.data)
        except ValueError as error:
            raise ClusterUnavailable(f"the API server's answer is not JSON: {error}") from error
        if not isinstance(answer, dict):
            raise ClusterUnavailable("the API server's answer is not a JSON object")
        return answer

    @contextmanager
    def stream(
        self, path: str, query: Mapping[str, str], *, silence: float, metadata_only: bool = False
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """Open a watch and yield its response; reading it fails after ``silence`` seconds without a byte."""
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=silence)
        headers = {"Accept": _METADATA if metadata_only else _JSON}
        response = self._request("GET", path, query, headers, timeout=timeout, preload_content=False)
        try:
            if response.status != 200:
                raise ApiError(response.status, _message(response.read(1 << 16), response.reason))
            yield response
        finally:
            response.close()

    def _request(
        self, method: str, path: str, query: Mapping[str, str] | None, headers: Mapping[str, str], **options: Any
    ) -> urllib3.BaseHTTPResponse:
        url = f"{self._host}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"User-Agent": MANAGER, **headers, **self._credentials()}
        try:
            response = self._pool.request(method, url, headers=headers, retries=False, **options)
        except _TRANSPORT_ERRORS as error:
            # without addresses of Python objects, so that the same error always has the same text
            reason = re.sub(r"<[^<>]*>:? ?", "", str(error)) or type(error).__name__
            raise ClusterUnavailable(f"the API server is out of reach: {reason}") from error
        self._clock = _server_time(response.headers.get("Date"), datetime.now(UTC)), time.monotonic()
        return response


class Client:
    """Calls to one API server until a deadline, so that a leader that may have lost its Lease writes nothing more.

    Each call raises ApiError where the server answers with an error, ClusterUnavailable without an answer in time.
    """

    def __init__(self, api: Api, deadline: float, longest: float) -> None:
        self._api, self._deadline, self._longest = api, deadline, longest

    def get(self, path: str) -> dict[str, Any] | None:
        """Return the object at a path, None where there is none."""
        try:
            return self._call("GET", path)
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def list(self, path: str, query: Mapping[str, str] | None = None, *, metadata_only: bool = False) -> Iterator[Any]:
        """Yield the objects of a collection; with ``metadata_only`` only their metadata."""
        for page in self.pages(path, query, metadata_only=metadata_only):
            yield from items(page.get("items"))

    def pages(
        self, path: str, query: Mapping[str, str] | None = None, *, metadata_only: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Yield a collection page by page; raises ApiError 410 where the list expires between two pages."""
        asked: dict[str, str] = {**(query or {}), "limit": str(PAGE)}
        while True:
            page = self._call("GET", path, asked, accept=_METADATA_LIST if metadata_only else _JSON)
            yield page
            if not (following := at(page, "metadata", "continue")):
                return
            asked = {**asked, "continue": following}

    def create(self, path: str, body: object, *, dry_run: bool = False) -> dict[str, Any]:
        """Create an object in a collection and return it as stored, or as a dry run would store it."""
        return self._call("POST", path, {"dryRun": "All"} if dry_run else None, body)

    def replace(self, path: str, body: object) -> dict[str, Any]:
        """Replace an object and return it as stored; raises ApiError 409 where it changed since it was read."""
        return self._call("PUT", path, None, body)

    def apply(self, path: str, body: object) -> dict[str, Any]:
        """Apply an object server-side, forcing conflicts, and return it as stored."""
        query = {"fieldManager": MANAGER, "force": "true"}
        return self._call("PATCH", path, query, body, content_type="application/apply-patch+yaml")

    def patch(self, path: str, operations: Sequence[object]) -> dict[str, Any]:
        """Apply a JSON Patch to an object and return it as stored."""
        return self._call("PATCH", path, None, operations, content_type="application/json-patch+json")

    def delete(self, path: str) -> None:
        """Delete the object at a path, if there is one."""
        try:
            self._call("DELETE", path)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise

    def _call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: object = None, **headers: str
    ) -> dict[str, Any]:
        left = min(self._deadline - time.monotonic(), self._longest)
        if left <= 0:
            raise ClusterUnavailable("the API server did not answer in time")
        return self._api.call(method, path, query, body, timeout=left, **headers)


def _server_time(date: str | None, now: datetime) -> datetime:
    """Return the time in an answer's Date header; ``now`` without one, and where it differs by a mere delay."""
    try:
        found = parsedate_to_datetime(date or "")
    except ValueError:
        return now
    found = found.replace(tzinfo=found.tzinfo or UTC)
    return found if abs(found - now) > _SLOW_ANSWER else now


def _message(body: bytes, reason: str | None) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return reason or "no reason given"
