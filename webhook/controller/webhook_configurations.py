"""The webhook configurations: what the API server asks us about, and what it keeps away.

Built from the same table as the webhook's own scope, so that a write that cannot bring a violation costs nobody a call,
and passes also while every one of our processes is gone.
"""

from __future__ import annotations

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
_VERSIONS = {
    "": ["v1"],
    PROBE[0]: ["v1"],
    KUBEVIRT: ["v1"],
    POOL: _BOTH,
    SNAPSHOT: _BOTH,
    CLONE: _BOTH,
}
"""Versions of the same shape: KubeVirt before 1.7 serves no other Pools than v1alpha1.

Requests in other served versions are converted to one of them (matchPolicy Equivalent).
"""

_MADE_FOR_OWNER = {
    (KUBEVIRT, "virtualmachineinstances", ""): conditions.VMI_OF_OWNER,
    (KUBEVIRT, "virtualmachines", ""): conditions.VM_OF_POOL,
}
_NAMESPACE_RESOURCES = ["namespaces", "namespaces/status", "namespaces/finalize"]

Which = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class FailClosed:
    """What becomes of a write while none of our processes can be asked: denied where it says so, else let by."""

    vms: bool = True
    """What is about VMs."""
    labels: bool = True
    """Our labels on a namespace."""

    @classmethod
    def of(cls, settings: Settings) -> FailClosed:
        """Return what the settings ask for: only what may be denied by us is denied without us."""
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
    namespace; ``namespaces`` selects those whose VMs are evaluated, all where it is empty. The validating side fails
    closed where the strictness says so: what it cannot ask it denies. The mutating side fails open: the validating
    side sees the final object.
    """
    selected = {"namespaceSelector": dict(namespaces or {})}
    vms = {**selected, **_failing(fail_closed.vms)}
    validating = [
        *(
            {**_webhook("validate", which, _operations(which), _evaluated(which, kubevirt)), **vms}
            for which in COMPARED
        ),
        *(
            {**_webhook("validate", (*which, ""), ["CREATE", "UPDATE"], _of_restores()), **vms}
            for which in KIND_OF_RESTORE_OR_CLONE
        ),
        {**_guarding_namespaces(), **_failing(fail_closed.labels)},
    ]
    mutating = [
        {
            **_webhook("mutate", which, list(operations), _patched(which, operations)),
            **selected,
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "Never",
        }
        for which, operations in PATCHED.items()
    ]
    return [
        _configuration("ValidatingWebhookConfiguration", validating, service, "/validate", ca_bundle),
        _configuration("MutatingWebhookConfiguration", mutating, service, "/mutate", ca_bundle),
    ]


def probe_configuration(service: dict[str, Any], ca_bundle: str) -> dict[str, Any]:
    """Return the configuration by which API servers ask us about the probe object in our namespace alone."""
    namespace = {"matchLabels": {"kubernetes.io/metadata.name": service["namespace"]}}
    webhook = _webhook("validate", PROBE, ["CREATE"], {"is-the-probe": f"object.metadata.name == '{PROBE_NAME}'"})
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


def _webhook(verb: str, which: Which, operations: list[str], match: dict[str, str]) -> dict[str, Any]:
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
                "operations": operations,
                "resources": [whole],
                "scope": "Cluster" if resource == "namespaces" else "Namespaced",
            }
        ],
        "matchConditions": [{"name": name, "expression": expression} for name, expression in match.items()],
    }


def _failing(closed: bool) -> dict[str, str]:
    return {"failurePolicy": "Fail" if closed else "Ignore"}


def _operations(which: Which) -> list[str]:
    return ["UPDATE"] if which[2] else ["CREATE", "UPDATE"]


def _patched(which: Which, operations: tuple[str, ...]) -> dict[str, str]:
    """Every creation is patched: each restart of a VM sets the eviction strategy of one more VMI."""
    return {"changes": conditions.comes(COMPARED[which], labels=False)} if "UPDATE" in operations else {}


def _evaluated(which: Which, kubevirt: str) -> dict[str, str]:
    found = {"changes": conditions.comes(COMPARED[which], labels=not which[2])}
    if which in _MADE_FOR_OWNER:
        found["is-not-made-for-an-owner"] = conditions.is_not_made_for_owner(_MADE_FOR_OWNER[which], kubevirt)
    return found


def _of_restores() -> dict[str, str]:
    """Their spec may change until KubeVirt has read it."""
    changes = f"object.?spec != oldObject.?spec || {conditions.changes_labels()}"
    return {"changes": f"{conditions.IS_NEW} || {changes}"}


def _guarding_namespaces() -> dict[str, Any]:
    """Our labels can be written by way of the subresources too."""
    condition = {"changes-labels": conditions.changes_labels()}
    webhook = _webhook("validate", ("", "namespaces", ""), ["CREATE", "UPDATE"], condition)
    return {**webhook, "rules": [{**webhook["rules"][0], "resources": _NAMESPACE_RESOURCES}]}
