"""The Service and the replicas behind it, asked as the API server asks them."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import Api
from webhook.cluster.live import STALE
from webhook.controller.plan import is_ready
from webhook.doctor.finding import Finding
from webhook.objects import Object, at, items

_SECONDS = 10.0
_CONNECT_SECONDS = 3.0
_ABOUT = "replicas"


def look_at_service(api: Api, reference: Object, bundle: bytes) -> list[Finding]:
    """Return how many replicas are ready, whether one serves a trusted certificate, and how fresh its caches are.

    ``reference`` names the Service with namespace, name and port, ``bundle`` holds the trusted authorities, PEM.
    """
    namespace, name = reference["namespace"], reference["name"]
    try:
        service = api.get(f"/api/v1/namespaces/{namespace}/services/{name}", timeout=_SECONDS)
        selector = ",".join(f"{key}={value}" for key, value in (at(service, "spec", "selector") or {}).items())
        pods = api.get(f"/api/v1/namespaces/{namespace}/pods", {"labelSelector": selector}, timeout=_SECONDS)
    except ClusterUnavailable as error:
        remedy = f"Give the right to get services and list pods in namespace {namespace}"
        return [Finding("warning", _ABOUT, f"not looked at: {error}", remedy)]
    return [_ready(items(pods.get("items"))), *_asked(service, reference, bundle)]


def _ready(pods: Any) -> Finding:
    ready = sum(is_ready(pod) for pod in pods)
    what = f"{ready} of {len(pods)} ready"
    if ready == 0:
        return Finding("error", _ABOUT, what, "See their logs and /readyz: kubectl describe pod says why they are not")
    if ready == 1:
        return Finding("warning", _ABOUT, what, "Run two, so that a node may be drained without refusing new machines")
    return Finding("ok", _ABOUT, what)


def _asked(service: Object, reference: Object, bundle: bytes) -> Iterator[Finding]:
    name = f"{reference['name']}.{reference['namespace']}.svc"
    address, port = at(service, "spec", "clusterIP") or name, reference.get("port") or 443
    try:
        metrics = _get(str(address), int(port), name, bundle, "/metrics")
    except ssl.SSLCertVerificationError as error:
        remedy = "A replica serves what the registrations do not trust; see its log"
        yield Finding("error", "certificates", f"{name}: {error.verify_message}", remedy)
    except (OSError, http.client.HTTPException, ValueError) as error:
        what = f"{name} cannot be reached from here: {error}"
        yield Finding("warning", _ABOUT, what, "Expected outside the cluster; inside it, see the NetworkPolicy")
    else:
        yield Finding("ok", "certificates", f"{name} serves a certificate that the registrations trust")
        yield _fresh(metrics)


def _get(address: str, port: int, name: str, bundle: bytes, path: str) -> str:
    context = ssl.create_default_context(cadata=bundle.decode())
    connection = _Named(address, port, name, context)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        if response.status != 200:
            raise http.client.HTTPException(f"{path} answered {response.status}")
        return response.read().decode()
    finally:
        connection.close()


class _Named(http.client.HTTPSConnection):
    """A connection to an address whose certificate is for a name."""

    def __init__(self, address: str, port: int, name: str, context: ssl.SSLContext) -> None:
        super().__init__(address, port, timeout=_CONNECT_SECONDS, context=context)
        self._name, self._tls = name, context

    def connect(self) -> None:
        """Connect, and verify the name."""
        http.client.HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)


def _fresh(metrics: str) -> Finding:
    ages = {
        sample.labels["resource"]: sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == "migratability_cache_age_seconds"
    }
    stale = sorted(resource for resource, age in ages.items() if age > STALE)
    if stale:
        remedy = "Its watches hang; the API server is asked for each machine instead, which takes longer"
        return Finding("warning", "caches", f"older than {STALE:g} s: {', '.join(stale)}", remedy)
    oldest = max(ages.values(), default=0.0)
    return Finding("ok", "caches", f"{len(ages)} kinds are watched, the oldest word is {oldest:.0f} s old")
