"""The live webhook configurations, and which installation they belong to."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from webhook.cluster import Cluster
from webhook.cluster.api import MANAGER
from webhook.cluster.resources import Resource, single
from webhook.controller.owned import owners_of
from webhook.installation import Installation
from webhook.names import CONFIGURATION
from webhook.objects import Object, at, items, text
from webhook.wording import listed

VALIDATING, MUTATING = "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"
KINDS: Mapping[str, Resource[Object]] = {
    kind: single(kind, "admissionregistration.k8s.io", "v1", CONFIGURATION) for kind in (VALIDATING, MUTATING)
}
"""The webhook configurations with our name, by kind."""

LiveConfigurations = Mapping[str, Object]
"""The live configurations with our name, by kind; one that is not there is missing."""


def path_of(kind: str, name: str = CONFIGURATION) -> str:
    """Return the URL path of a configuration."""
    return KINDS[kind].path_of(name)


def read_configurations(cluster: Cluster) -> LiveConfigurations:
    """Return the live webhook configurations; raises as `Cluster.get`."""
    found = {kind: cluster.get(resource, CONFIGURATION) for kind, resource in KINDS.items()}
    return {kind: live for kind, live in found.items() if live is not None}


def holder_of(live: Object, installation: Installation) -> str | None:
    """Return in words whose a live webhook configuration is, or None if it is ours.

    It is ours if the installation's ClusterRole owns it. Where no ClusterRole owns it, it is ours if we wrote it, or
    if it calls our Service, as after an edit or a restore from a backup.
    """
    owners = owners_of(live)
    if installation.owner in owners:
        return None
    if owners:
        return f"it belongs to ClusterRole {listed(owners)}"
    managers = {text(at(entry, "manager")) for entry in items(at(live, "metadata", "managedFields"))}
    services = {_called(client) for client in _clients(live)}
    if MANAGER in managers or services == {f"{installation.namespace}/{installation.service.name}"}:
        return None
    return f"it calls {listed(sorted(services))}" if services else "we did not write it"


def bundles_of(configured: LiveConfigurations) -> list[bytes]:
    """Return the distinct values of caBundle, decoded; one may be empty."""
    found = {at(client, "caBundle") or "" for live in configured.values() for client in _clients(live)}
    return [_decoded(bundle) for bundle in sorted(found)]


def _decoded(bundle: str) -> bytes:
    try:
        return base64.b64decode(bundle)
    except binascii.Error:
        return b""


def _clients(live: Object) -> list[object]:
    return [at(webhook, "clientConfig") for webhook in items(live.get("webhooks"))]


def _called(client: object) -> str:
    service = at(client, "service")
    return f"{at(service, 'namespace')}/{at(service, 'name')}" if service else str(at(client, "url"))
