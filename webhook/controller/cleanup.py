"""Deletes everything that an installation created in the API server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from webhook.admission.probe import PROBE_NAME
from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import Api, Client
from webhook.controller.leader_election import leases_of
from webhook.controller.live_configurations import MUTATING, VALIDATING, holder_of, path_of
from webhook.controller.owned import CLUSTER_ROLES
from webhook.controller.reconciler import RECONCILE_SECONDS
from webhook.installation import Installation
from webhook.names import CONFIGURATION

_LEARNS_WITHIN = 1.0
_QUIET = 2 * RECONCILE_SECONDS
_PAUSE = 0.5
_SWEEP_SECONDS = 10.0
_LONGEST = 5.0


def remove(api: Api, installation: Installation, patience: float, report: Callable[[str], None]) -> list[str]:
    """Delete everything that the webhook created; return what is still there after ``patience`` seconds.

    The owner is deleted first: without it, a replica that still runs creates nothing. It returns when nothing has come
    back for longer than a replica takes to reconcile. ``report`` is called with each deletion and each API error.
    """
    deadline = time.monotonic() + patience
    quiet_since, left = time.monotonic(), ["everything"]
    while time.monotonic() < deadline:
        try:
            left = _sweep(api.within(_SWEEP_SECONDS, longest=_LONGEST), installation, report)
        except ClusterUnavailable as error:
            report(f"trying again: {error}")
            left = left or ["unknown"]
        if left:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since >= _QUIET:
            return []
        time.sleep(_PAUSE)
    return left


def _sweep(client: Client, installation: Installation, report: Callable[[str], None]) -> list[str]:
    """Delete what exists; return its names."""
    found = []
    for what, path in _things(client, installation):
        if client.get(path) is None:
            continue
        client.delete(path)
        report(f"deleted {what}")
        found.append(what)
        if path == path_of(VALIDATING):
            time.sleep(_LEARNS_WITHIN)
    return found


def _things(client: Client, installation: Installation) -> Iterator[tuple[str, str]]:
    """Name and path of everything that is ours, in the order of deletion: validating before mutating."""
    namespace, secret = installation.namespace, installation.certificates.secret
    yield f"ClusterRole {installation.owner}", f"{CLUSTER_ROLES}/{installation.owner}"
    yield f"{VALIDATING} {PROBE_NAME}", path_of(VALIDATING, PROBE_NAME)
    for kind in (VALIDATING, MUTATING):
        live = client.get(path_of(kind))
        if live is not None and holder_of(live, installation) is None:
            yield f"{kind} {CONFIGURATION}", path_of(kind)
    yield f"Lease {namespace}/{installation.lease}", f"{leases_of(namespace)}/{installation.lease}"
    if installation.certificates.source == "selfSigned":
        yield f"Secret {namespace}/{secret}", f"/api/v1/namespaces/{namespace}/secrets/{secret}"
