"""Connectivity from the API server through the Service to the webhook, proved by dry runs that store nothing."""

from __future__ import annotations

from typing import Any

from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import NOT_FOUND, ApiError, Client
from webhook.doctor.finding import Finding, unavailable
from webhook.names import DOMAIN
from webhook.objects import at
from webhook.policy.rules import hyperv_passthrough
from webhook.settings import Settings

_INVALID, _FORBIDDEN = 422, 403
_ABOUT = "connectivity"
_DENYING = hyperv_passthrough.RULE.name
"""KubeVirt itself accepts a VM that violates this rule, and the verdict depends on no other object."""


def look_at_connectivity(client: Client, namespace: str, settings: Settings) -> list[Finding]:
    """Return whether a good VM is patched and a bad one denied in a namespace, as the settings require."""
    try:
        return [_patched(client, namespace, settings), _denied(client, namespace, settings)]
    except ClusterUnavailable as error:
        return unavailable(_ABOUT, error)


def _patched(client: Client, namespace: str, settings: Settings) -> Finding:
    try:
        stored = _create(client, namespace, {})
    except ApiError as error:
        return _failed("a good VM", namespace, error)
    if at(stored, "spec", "template", "spec", "evictionStrategy") == "LiveMigrate":
        return Finding("ok", _ABOUT, "a good VM is admitted, and gets evictionStrategy LiveMigrate")
    if "off" in (settings.mode, settings.eviction_strategy, settings.webhook_configurations):
        return Finding("ok", _ABOUT, "a good VM is admitted without a patch, as the settings require")
    remedy = (
        "See below whether the mutating webhook configuration exists, and whether it selects the namespace. With one "
        "schedulable node, or evictionStrategy: off in the settings, no patch is expected"
    )
    return Finding("error", _ABOUT, f"a good VM is admitted in namespace {namespace}, but not patched", remedy)


def _denied(client: Client, namespace: str, settings: Settings) -> Finding:
    try:
        _create(client, namespace, {"features": {"hypervPassthrough": {"enabled": True}}})
    except ApiError as error:
        if error.status == _INVALID and f"[{_DENYING}]" in str(error):
            return Finding("ok", _ABOUT, f"a VM that cannot migrate is denied by {_DENYING}")
        return _failed("a VM that cannot migrate", namespace, error)
    rule = settings.rules.get(_DENYING, hyperv_passthrough.RULE.default)
    if settings.mode != "deny" or rule != "deny" or settings.webhook_configurations == "off":
        what = "a VM that cannot migrate is admitted, as the settings require; denial was not tested"
        return Finding("warning", _ABOUT, what, f"Set mode and {_DENYING} to deny, webhookConfigurations to managed")
    remedy = (
        "See below whether the validating webhook configuration exists, and give the installation's settings with "
        f"--config. In a namespace labelled {DOMAIN}/enforcement or exempt, or not selected, no denial is expected"
    )
    return Finding("error", _ABOUT, f"a VM that cannot migrate is admitted in namespace {namespace}", remedy)


def _failed(what: str, namespace: str, error: ApiError) -> Finding:
    if error.status == _FORBIDDEN and DOMAIN not in str(error):
        remedy = f"Run as a user who may create VirtualMachines in namespace {namespace}; --namespace names another"
        return Finding("warning", _ABOUT, f"not tested: {error}", remedy)
    if error.status == NOT_FOUND:
        remedy = f"Install KubeVirt, or create namespace {namespace}"
        return Finding("error", _ABOUT, f"{what} cannot be created: {error}", remedy)
    remedy = "If the message names our webhook: check that its pods are ready and that the API server can reach them"
    return Finding("error", _ABOUT, f"{what} is denied for another reason: {error}", remedy)


def _create(client: Client, namespace: str, domain: dict[str, Any]) -> dict[str, Any]:
    devices = {"interfaces": [{"name": "default", "masquerade": {}}]}
    spec = {
        "domain": {"devices": devices, "resources": {"requests": {"memory": "1Gi"}}, **domain},
        "networks": [{"name": "default", "pod": {}}],
    }
    vm = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"generateName": "migratability-doctor-", "namespace": namespace},
        "spec": {"runStrategy": "Halted", "template": {"spec": spec}},
    }
    path = f"/apis/kubevirt.io/v1/namespaces/{namespace}/virtualmachines"
    return client.create(path, vm, dry_run=True)
