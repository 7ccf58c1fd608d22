"""The webhook configurations: which requests the API server sends us.

They are generated from the table of the webhook's own scope, so that a write that cannot add a violation costs no call,
and is admitted also while no replica runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from webhook.admission.probe import PROBE, PROBE_NAME
from webhook.admission.scope import CLONE, COMPARED, KIND_OF_RESTORE_OR_CLONE, KUBEVIRT, PATCHED, POOL, SNAPSHOT
from webhook.controller import conditions
from webhook.names import CONFIGURATION, DOMAIN
from webhook.objects import Object
from webhook.policy.rules import RULES
from webhook.settings import Settings

TIMEOUT_SECONDS = 10
_API = "admissionregistration.k8s.io/v1"
_BOTH = ["v1alpha1", "v1beta1"]
_VERSIONS = {"": ["v1"], PROBE[0]: ["v1"], KUBEVIRT: ["v1"], POOL: _BOTH, SNAPSHOT: _BOTH, CLONE: _BOTH}
"""Versions with the same fields; KubeVirt before 1.7 serves Pools in v1alpha1 only.

Requests in other versions are converted to one of them (matchPolicy Equivalent).
"""

_OWNED = {
    (KUBEVIRT, "virtualmachineinstances", ""): conditions.VMI_OF_OWNER,
    (KUBEVIRT, "virtualmachines", ""): conditions.VM_OF_POOL,
}
_NAMESPACE_RESOURCES = ["namespaces", "namespaces/status", "namespaces/finalize"]

Which = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class FailClosed:
    """Which requests are denied while no replica can be reached; others are admitted."""

    vms: bool = True
    """Those for VMs, ReplicaSets, Pools, restores and clones."""
    labels: bool = True
    """Those for our labels on namespaces."""

    @classmethod
    def of(cls, settings: Settings) -> FailClosed:
        """Return what the settings imply: fail closed only where the webhook can deny."""
        denies = settings.mode == "deny"
        return cls(denies and any(settings.rules.get(rule.name, rule.default) == "deny" for rule in RULES), denies)


def webhook_configurations(
    service: dict[str, Any],
    ca_bundle: str,
    kubevirt: str = "kubevirt",
    *,
    fail_closed: FailClosed = FailClosed(),
    namespaces: Object | None = None,
) -> list[dict[str, Any]]:
    """Return the validating and the mutating configuration.

    ``service`` is a reference with namespace, name and port; ``ca_bundle`` is base64; ``kubevirt`` is KubeVirt's
    namespace; ``namespaces`` selects those whose VMs are evaluated, all where it is empty. The mutating side fails
    open, since the validating side sees the final object.
    """
    selected = {"namespaceSelector": dict(namespaces or {})}
    vms = {**selected, "failurePolicy": "Fail" if fail_closed.vms else "Ignore"}
    changed = "!has(oldObject.metadata.deletionTimestamp) && object.?spec != oldObject.?spec"
    restores = f"{conditions.IS_NEW} || {changed} || {conditions.changes_labels()}"
    validating = [
        *({**_webhook("validate", which, _evaluated(which, kubevirt)), **vms} for which in COMPARED),
        *({**_webhook("validate", (*which, ""), {"changes": restores}), **vms} for which in KIND_OF_RESTORE_OR_CLONE),
        {**_guarding_namespaces(), "failurePolicy": "Fail" if fail_closed.labels else "Ignore"},
    ]
    patching = {**selected, "failurePolicy": "Ignore", "reinvocationPolicy": "Never"}
    mutating = [
        {**_webhook("mutate", which, _patched(which, operations), operations), **patching}
        for which, operations in PATCHED.items()
    ]
    return [
        _configuration("ValidatingWebhookConfiguration", validating, service, "/validate", ca_bundle),
        _configuration("MutatingWebhookConfiguration", mutating, service, "/mutate", ca_bundle),
    ]


def probe_configuration(service: dict[str, Any], ca_bundle: str) -> dict[str, Any]:
    """Return the webhook configuration that matches only the probe object in our namespace."""
    namespace = {"matchLabels": {"kubernetes.io/metadata.name": service["namespace"]}}
    webhook = _webhook("validate", PROBE, {"is-the-probe": f"object.metadata.name == '{PROBE_NAME}'"}, ["CREATE"])
    configuration = _configuration(
        "ValidatingWebhookConfiguration",
        [{**webhook, "name": f"probe.validate.{DOMAIN}", "namespaceSelector": namespace}],
        service,
        "/validate",
        ca_bundle,
    )
    return {**configuration, "metadata": {"name": PROBE_NAME}}


def _configuration(
    kind: str, webhooks: list[dict[str, Any]], service: dict[str, Any], path: str, ca_bundle: str
) -> dict[str, Any]:
    client = {"service": {**service, "path": path}, "caBundle": ca_bundle}
    return {
        "apiVersion": _API,
        "kind": kind,
        "metadata": {"name": CONFIGURATION},
        "webhooks": [{**webhook, "clientConfig": client} for webhook in webhooks],
    }


def _webhook(
    verb: str, which: Which, match: dict[str, str], operations: Iterable[str] = ("CREATE", "UPDATE")
) -> dict[str, Any]:
    group, resource, subresource = which
    whole = f"{resource}/{subresource}" if subresource else resource
    return {
        "name": f"{whole.replace('/', '-')}.{verb}.{DOMAIN}",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "matchPolicy": "Equivalent",
        "failurePolicy": "Fail",
        "timeoutSeconds": TIMEOUT_SECONDS,
        "namespaceSelector": {},
        "objectSelector": {},
        "rules": [
            {
                "apiGroups": [group],
                "apiVersions": _VERSIONS[group],
                "operations": ["UPDATE"] if subresource else list(operations),
                "resources": [whole],
                "scope": "Cluster" if resource == "namespaces" else "Namespaced",
            }
        ],
        "matchConditions": [{"name": name, "expression": expression} for name, expression in match.items()],
    }


def _patched(which: Which, operations: tuple[str, ...]) -> dict[str, str]:
    """Every creation is patched, so that each restart of a VM sets the eviction strategy of its VMI."""
    return {"changes": conditions.changes(COMPARED[which], labels=False)} if "UPDATE" in operations else {}


def _evaluated(which: Which, kubevirt: str) -> dict[str, str]:
    found = {"changes": conditions.changes(COMPARED[which], labels=not which[2])}
    if which in _OWNED:
        found["has-no-owner"] = conditions.has_no_owner(_OWNED[which], kubevirt)
    return found


def _guarding_namespaces() -> dict[str, Any]:
    """Our labels can be written through the subresources too."""
    webhook = _webhook("validate", ("", "namespaces", ""), {"changes-labels": conditions.changes_labels()})
    return {**webhook, "rules": [{**webhook["rules"][0], "resources": _NAMESPACE_RESOURCES}]}
