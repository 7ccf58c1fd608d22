"""The Service and the replicas behind it, connected to as the API server connects."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Sequence

import urllib3

from certs.pem import certificates, encoded
from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import CONNECT_TIMEOUT, Client
from webhook.cluster.live import STALE
from webhook.controller.plan import is_ready
from webhook.doctor.finding import Finding
from webhook.objects import Object, at

_ABOUT = "replicas"
_AGE = re.compile(r'^migratability_cache_age_seconds\{resource="([^"]*)"\} (\S+)$', re.MULTILINE)


def look_at_service(client: Client, reference: Object, bundle: bytes) -> list[Finding]:
    """Return how many replicas are ready, whether one serves a trusted certificate, and how fresh its caches are.

    ``reference`` holds the Service's namespace, name and port, ``bundle`` the trusted CAs, PEM.
    """
    namespace, name = reference["namespace"], reference["name"]
    try:
        service = client.get(f"/api/v1/namespaces/{namespace}/services/{name}")
        if service is None:
            remedy = "Create it again with helm upgrade: the webhook configurations call it"
            return [Finding("error", _ABOUT, f"Service {namespace}/{name} does not exist", remedy)]
        selector = ",".join(f"{key}={value}" for key, value in (at(service, "spec", "selector") or {}).items())
        pods = list(client.list(f"/api/v1/namespaces/{namespace}/pods", {"labelSelector": selector}))
    except ClusterUnavailable as error:
        remedy = f"Grant the right to get services and list pods in namespace {namespace}"
        return [Finding("warning", _ABOUT, f"not checked: {error}", remedy)]
    return [_ready(pods), *_asked(service, reference, bundle)]


def _ready(pods: Sequence[Object]) -> Finding:
    ready = sum(is_ready(pod) for pod in pods)
    what = f"{ready} of {len(pods)} ready"
    if ready == 0:
        return Finding("error", _ABOUT, what, "See their logs; GET /readyz of a pod names the reason")
    if ready == 1:
        return Finding("warning", _ABOUT, what, "Run two, so that a node drain does not cause VMs to be denied")
    return Finding("ok", _ABOUT, what)


def _asked(service: Object, reference: Object, bundle: bytes) -> Iterator[Finding]:
    name = f"{reference['name']}.{reference['namespace']}.svc"
    address, port = at(service, "spec", "clusterIP") or name, reference.get("port") or 443
    trusted = b"".join(map(encoded, certificates(bundle))).decode()
    if not trusted:
        remedy = "See the leader's log, and remove what else writes it, as cert-manager.io/inject-ca-from does"
        yield Finding("error", "certificates", "the caBundle is not a certificate", remedy)
        return
    try:
        metrics = _metrics(str(address), int(port), name, trusted)
    except urllib3.exceptions.SSLError as error:
        cause = error.args[0]
        reason = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else error
        remedy = "A replica serves a certificate that the webhook configurations do not trust; see its log"
        yield Finding("error", "certificates", f"{name}: {reason}", remedy)
    except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
        what = f"{name} cannot be reached from here: {error}"
        yield Finding("warning", _ABOUT, what, "Expected outside the cluster; inside it, check the NetworkPolicy")
    else:
        yield Finding("ok", "certificates", f"{name} serves a certificate that the webhook configurations trust")
        yield _fresh(metrics)


def _metrics(address: str, port: int, name: str, trusted: str) -> str:
    """Return /metrics at an address, served with a certificate for ``name`` of a trusted CA."""
    context = ssl.create_default_context(cadata=trusted)
    with urllib3.HTTPSConnectionPool(
        address, port, timeout=CONNECT_TIMEOUT, retries=False, ssl_context=context, server_hostname=name
    ) as pool:
        response = pool.request("GET", "/metrics")
        if response.status != 200:
            raise ValueError(f"/metrics answered {response.status}")
        return response.data.decode()


def cache_ages(metrics: str) -> dict[str, float]:
    """Return the age of each cache in seconds, by resource, from the text of /metrics."""
    return {resource: float(age) for resource, age in _AGE.findall(metrics)}


def _fresh(metrics: str) -> Finding:
    ages = cache_ages(metrics)
    stale = sorted(resource for resource, age in ages.items() if age > STALE)
    if stale:
        remedy = "Its watches are broken; it asks the API server for each VM instead, which takes longer"
        return Finding("warning", "caches", f"stale, older than {STALE:g} s: {', '.join(stale)}", remedy)
    oldest = max(ages.values(), default=0.0)
    return Finding("ok", "caches", f"{len(ages)} kinds are watched, the oldest cache is {oldest:.0f} s old")
