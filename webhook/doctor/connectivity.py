"""The way from the API server through the Service to us and back, proved by dry runs that store nothing."""

from __future__ import annotations

from typing import Any

from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import NOT_FOUND, ApiError, Client
from webhook.doctor.finding import Finding
from webhook.names import DOMAIN
from webhook.objects import at
from webhook.policy.rules import hyperv_passthrough
from webhook.settings import Settings

_INVALID, _FORBIDDEN = 422, 403
_ABOUT = "through the API server"
_DENYING = hyperv_passthrough.RULE.name
"""KubeVirt itself accepts a VM that breaks this rule, and it rests on no other object."""


def look_at_connectivity(client: Client, namespace: str, settings: Settings) -> list[Finding]:
    """Return whether a good VM is patched and a bad one denied in a namespace, as far as the settings want it."""
    try:
        return [_patched(client, namespace, settings), _denied(client, namespace, settings)]
    except ClusterUnavailable as error:
        return [Finding("error", _ABOUT, str(error), "See whether the API server is well, and try again")]


def _patched(client: Client, namespace: str, settings: Settings) -> Finding:
    try:
        stored = _create(client, namespace, {})
    except ApiError as error:
        return _failed("a good VM", namespace, error)
    strategy = at(stored, "spec", "template", "spec", "evictionStrategy")
    if strategy == "LiveMigrate":
        return Finding("ok", _ABOUT, "a good VM is admitted, and gets evictionStrategy LiveMigrate")
    if settings.mode == "off" or settings.eviction_strategy == "off" or settings.webhook_configurations == "off":
        return Finding("ok", _ABOUT, "a good VM is admitted without a patch, as the settings want it")
    return Finding(
        "error",
        _ABOUT,
        f"a good VM is admitted in namespace {namespace}, but our patch does not come",
        "See below whether the mutating webhook configuration is there, and whether it covers the namespace. With one "
        "schedulable node or evictionStrategy: off in the settings nothing is to be patched",
    )


def _denied(client: Client, namespace: str, settings: Settings) -> Finding:
    try:
        _create(client, namespace, {"features": {"hypervPassthrough": {"enabled": True}}})
    except ApiError as error:
        if error.status == _INVALID and f"[{_DENYING}]" in str(error):
            return Finding("ok", _ABOUT, f"a VM that cannot migrate is denied, by {_DENYING}")
        return _failed("a VM that cannot migrate", namespace, error)
    if not _denies(settings):
        what = "a VM that cannot migrate is admitted, as the settings want it: that one is denied is not proved"
        return Finding("warning", _ABOUT, what, "Set mode: deny where it must be denied")
    return Finding(
        "error",
        _ABOUT,
        f"a VM that cannot migrate is admitted in namespace {namespace}",
        "See below whether the validating webhook configuration is there, and give the installation's settings by --config. In "
        f"a namespace labelled {DOMAIN}/enforcement or exempt, or not selected, nothing is to be denied",
    )


def _denies(settings: Settings) -> bool:
    rule = settings.rules.get(_DENYING, hyperv_passthrough.RULE.default)
    return settings.mode == "deny" and rule == "deny" and settings.webhook_configurations != "off"


def _failed(what: str, namespace: str, error: ApiError) -> Finding:
    if error.status == _FORBIDDEN and DOMAIN not in str(error):
        return Finding(
            "warning",
            _ABOUT,
            f"not proved: {error}",
            f"Run as somebody who may create VirtualMachines in namespace {namespace}; --namespace names another",
        )
    if error.status == NOT_FOUND:
        remedy = f"Install KubeVirt, or create namespace {namespace}"
        return Finding("error", _ABOUT, f"{what} cannot be created: {error}", remedy)
    remedy = "Where the message names our webhook: are its pods ready, and may the API server reach them?"
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
