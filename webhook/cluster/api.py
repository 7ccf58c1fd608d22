"""The API server over the official client's transport: configuration, credentials, pooled TLS; answers as raw JSON."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes import client, config

from webhook.cluster.interface import ClusterUnavailable

CONNECT_TIMEOUT = 3.0
_SLOW_ANSWER = timedelta(seconds=10)
_MOST_CONNECTIONS = 48
_JSON = "application/json"
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_TRANSPORT_ERRORS = (urllib3.exceptions.HTTPError, OSError)


class ApiError(ClusterUnavailable):
    """The API server answered with an error; ``status`` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        """Remember the status and what the server said."""
        super().__init__(f"the API server answered {status}: {message}")
        self.status = status


class Api:
    """Requests to one API server."""

    def __init__(self, configuration: client.Configuration) -> None:
        """Take the official client's configuration: host, CA, credentials."""
        configuration.connection_pool_maxsize = _MOST_CONNECTIONS
        self._configuration = configuration
        self._ahead = timedelta(0)
        self._pool: urllib3.PoolManager = client.ApiClient(configuration).rest_client.pool_manager

    @classmethod
    def connect(cls) -> Api:
        """Use the service account inside a cluster, else the kubeconfig; raises ClusterUnavailable without either."""
        configuration = client.Configuration()
        try:
            if "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ:
                config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            else:
                path = os.environ.get("KUBECONFIG")
                config.load_kube_config(path, client_configuration=configuration)  # type: ignore[no-untyped-call]
        except (config.ConfigException, OSError) as error:
            raise ClusterUnavailable(f"no cluster to ask: {error}") from error
        return cls(configuration)

    def now(self) -> datetime:
        """Return the time, by the API server's clock where ours is seconds off: it looks at certificates by that."""
        return datetime.now(UTC) + self._ahead

    def get(
        self, path: str, query: dict[str, str] | None = None, *, timeout: float, metadata_only: bool = False
    ) -> dict[str, Any]:
        """Return the parsed answer to a GET; with ``metadata_only`` the objects of a list hold nothing else.

        Raises ApiError where the server answers with an error, ClusterUnavailable where it does not answer within
        ``timeout`` seconds.
        """
        patience = urllib3.Timeout(total=_positive(timeout))
        accept = _METADATA_LIST if metadata_only else _JSON
        return self._answer(self._request("GET", path, query, timeout=patience, accept=accept))

    def post(
        self, path: str, body: dict[str, Any], query: dict[str, str] | None = None, *, timeout: float
    ) -> dict[str, Any]:
        """Return the parsed answer to a POST; raises as `get`."""
        return self._write("POST", path, query, body, timeout)

    def put(self, path: str, body: dict[str, Any], *, timeout: float) -> dict[str, Any]:
        """Return the object as it is stored after a PUT; raises as `get`, with status 409 where it had changed."""
        return self._write("PUT", path, None, body, timeout)

    def apply(self, path: str, body: dict[str, Any], *, manager: str, timeout: float) -> dict[str, Any]:
        """Return the object as it is stored after a server-side apply that wins every conflict; raises as `get`."""
        query = {"fieldManager": manager, "force": "true"}
        return self._write("PATCH", path, query, body, timeout, "application/apply-patch+yaml")

    def patch(self, path: str, operations: list[dict[str, Any]], *, timeout: float) -> dict[str, Any]:
        """Return the object as it is stored after a JSON Patch; raises as `get`."""
        return self._write("PATCH", path, None, operations, timeout, "application/json-patch+json")

    def delete(self, path: str, *, timeout: float) -> dict[str, Any]:
        """Return the answer to a DELETE; raises as `get`."""
        return self._answer(self._request("DELETE", path, None, timeout=urllib3.Timeout(total=_positive(timeout))))

    def _write(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None,
        body: dict[str, Any] | list[dict[str, Any]],
        timeout: float,
        content_type: str = _JSON,
    ) -> dict[str, Any]:
        patience = urllib3.Timeout(total=_positive(timeout))
        content = json.dumps(body).encode()
        return self._answer(
            self._request(method, path, query, timeout=patience, body=content, content_type=content_type)
        )

    def _answer(self, response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
        if response.status not in (200, 201, 202):
            raise ApiError(response.status, _message(response.data, response.reason))
        try:
            answer = json.loads(response.data)
        except ValueError as error:
            raise ClusterUnavailable(f"the API server's answer is not JSON: {error}") from error
        if not isinstance(answer, dict):
            raise ClusterUnavailable("the API server's answer is no object")
        return answer

    @contextmanager
    def stream(
        self, path: str, query: dict[str, str], *, silence: float, metadata_only: bool = False
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """Open a watch and give its response; reading it fails after ``silence`` seconds without a byte."""
        patience = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=silence)
        accept = _METADATA if metadata_only else _JSON
        response = self._request("GET", path, query, timeout=patience, whole=False, accept=accept)
        try:
            if response.status != 200:
                raise ApiError(response.status, _message(response.read(1 << 16), response.reason))
            yield response
        finally:
            response.close()

    def _request(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None,
        *,
        timeout: urllib3.Timeout,
        body: bytes | None = None,
        whole: bool = True,
        accept: str = _JSON,
        content_type: str = _JSON,
    ) -> urllib3.BaseHTTPResponse:
        url = f"{self._configuration.host}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = self._headers() | {"Accept": accept} | ({"Content-Type": content_type} if body else {})
        try:
            response = self._pool.request(
                method, url, body=body, headers=headers, timeout=timeout, preload_content=whole, retries=False
            )
        except _TRANSPORT_ERRORS as error:
            raise ClusterUnavailable(f"the API server is out of reach: {_reason(error)}") from error
        self._ahead = _ahead_of_us(response.headers.get("Date"))
        return response

    def _headers(self) -> dict[str, str]:
        """Credentials are asked for anew each time: a service account's token is replaced while we run."""
        headers = {"User-Agent": "migratability-webhook"}
        bearer: Any = self._configuration.auth_settings().get("BearerToken")
        if bearer and bearer["value"]:
            headers[bearer["key"]] = bearer["value"]
        return headers


def _ahead_of_us(date: str | None) -> timedelta:
    """How far the server's clock is ahead of ours, by the date of an answer; nothing where that is not said."""
    try:
        told = parsedate_to_datetime(date or "")
    except ValueError:
        return timedelta(0)
    ahead = told.replace(tzinfo=told.tzinfo or UTC) - datetime.now(UTC)
    return ahead if abs(ahead) > _SLOW_ANSWER else timedelta(0)


def _message(body: bytes, reason: str | None) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return reason or "no reason given"


def _positive(timeout: float) -> float:
    if timeout <= 0:
        raise ClusterUnavailable("the API server did not answer in time")
    return timeout


def _reason(error: Exception) -> str:
    """The error's text without the addresses of Python objects, so that the same fault reads the same."""
    return re.sub(r"<[^<>]*>:? ?", "", str(error)) or type(error).__name__
