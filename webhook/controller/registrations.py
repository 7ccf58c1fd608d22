"""The webhook configurations: what the API server asks us about, and what it keeps away.

Built from the same table as the webhook's own scope, so that a write that cannot bring a violation costs nobody a call,
and passes also while every one of our processes is gone.
"""

from __future__ import annotations

from typing import Any

from webhook.admission.scope import GROUP, WHAT_MATTERS
from webhook.names import CONFIGURATION, DOMAIN

TIMEOUT_SECONDS = 10
_API = "admissionregistration.k8s.io/v1"


def registrations(service: dict[str, Any], ca_bundle: str) -> list[dict[str, Any]]:
    """Return the validating and the mutating configuration.

    ``service`` is a reference with namespace, name and port; ``ca_bundle`` is base64. The validating side fails closed:
    what it cannot ask it refuses. The mutating side fails open: the validating side sees the final object.
    """
    validating = [
        _webhook("validate", resource, subresource, ["UPDATE"] if subresource else ["CREATE", "UPDATE"], "Fail")
        for resource, subresource in WHAT_MATTERS
    ]
    mutating = [
        {**_webhook("mutate", resource, "", operations, "Ignore"), "reinvocationPolicy": "Never"}
        for resource, operations in (("virtualmachines", ["CREATE", "UPDATE"]), ("virtualmachineinstances", ["CREATE"]))
    ]
    return [
        _configuration("ValidatingWebhookConfiguration", validating, service, "/validate", ca_bundle),
        _configuration("MutatingWebhookConfiguration", mutating, service, "/mutate", ca_bundle),
    ]


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


def _webhook(verb: str, resource: str, subresource: str, operations: list[str], failure_policy: str) -> dict[str, Any]:
    whole = f"{resource}/{subresource}" if subresource else resource
    return {
        "name": f"{whole.replace('/', '-')}.{verb}.{DOMAIN}",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "matchPolicy": "Equivalent",
        "failurePolicy": failure_policy,
        "timeoutSeconds": TIMEOUT_SECONDS,
        "rules": [
            {
                "apiGroups": [GROUP],
                "apiVersions": ["v1"],
                "operations": operations,
                "resources": [whole],
                "scope": "Namespaced",
            }
        ],
        "matchConditions": [
            {"name": "is-not-being-deleted", "expression": "!has(object.metadata.deletionTimestamp)"},
            {"name": "changes-what-matters", "expression": _changes(WHAT_MATTERS[resource, subresource])},
        ],
    }


def _changes(paths: tuple[tuple[str, ...], ...]) -> str:
    """CEL that holds on a creation, where the old object is null, and where one of the paths changes."""
    chains = ("".join(f".?{key}" for key in path) for path in paths)
    return " || ".join(["oldObject == null", *(f"object{chain} != oldObject{chain}" for chain in chains)])
