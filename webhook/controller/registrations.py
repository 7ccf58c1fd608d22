"""The webhook configurations: what the API server asks us about, and what it keeps away.

Built from the same table as the webhook's own scope, so that a write that cannot bring a violation costs nobody a call,
and passes also while every one of our processes is gone.
"""

from __future__ import annotations

from typing import Any

from webhook.admission.scope import CLONE, KIND_OF_COPY, KUBEVIRT, POOL, SNAPSHOT, WHAT_MATTERS
from webhook.names import CONFIGURATION, DOMAIN

TIMEOUT_SECONDS = 10
_API = "admissionregistration.k8s.io/v1"
_VERSIONS = {KUBEVIRT: "v1", POOL: "v1beta1", SNAPSHOT: "v1beta1", CLONE: "v1beta1"}
"""The version that we read; requests in other served versions are converted to it (matchPolicy Equivalent)."""

_PATCHED = {
    (KUBEVIRT, "virtualmachines", ""): ["CREATE", "UPDATE"],
    (KUBEVIRT, "virtualmachineinstances", ""): ["CREATE"],
    (KUBEVIRT, "virtualmachineinstancereplicasets", ""): ["CREATE"],
    (POOL, "virtualmachinepools", ""): ["CREATE"],
}

Which = tuple[str, str, str]


def registrations(service: dict[str, Any], ca_bundle: str, kubevirt: str = "kubevirt") -> list[dict[str, Any]]:
    """Return the validating and the mutating configuration.

    ``service`` is a reference with namespace, name and port; ``ca_bundle`` is base64; ``kubevirt`` is KubeVirt's
    namespace. The validating side fails closed: what it cannot ask it refuses. The mutating side fails open: the
    validating side sees the final object.
    """
    validating = [
        *(_webhook("validate", which, _operations(which), _conditions(which, kubevirt)) for which in WHAT_MATTERS),
        *(_webhook("validate", (*which, ""), ["CREATE"], {}) for which in KIND_OF_COPY),
    ]
    mutating = [
        {
            **_webhook("mutate", which, operations, _conditions(which)),
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "Never",
        }
        for which, operations in _PATCHED.items()
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


def _webhook(verb: str, which: Which, operations: list[str], conditions: dict[str, str]) -> dict[str, Any]:
    group, resource, subresource = which
    whole = f"{resource}/{subresource}" if subresource else resource
    return {
        "name": f"{whole.replace('/', '-')}.{verb}.{DOMAIN}",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "matchPolicy": "Equivalent",
        "failurePolicy": "Fail",
        "timeoutSeconds": TIMEOUT_SECONDS,
        "rules": [
            {
                "apiGroups": [group],
                "apiVersions": [_VERSIONS[group]],
                "operations": operations,
                "resources": [whole],
                "scope": "Namespaced",
            }
        ],
        "matchConditions": [{"name": name, "expression": expression} for name, expression in conditions.items()],
    }


def _operations(which: Which) -> list[str]:
    return ["UPDATE"] if which[2] else ["CREATE", "UPDATE"]


def _conditions(which: Which, kubevirt: str | None = None) -> dict[str, str]:
    """CEL that keeps away what cannot bring a violation, so that it passes with every process of ours gone.

    An instance that KubeVirt, in its namespace ``kubevirt``, creates for an owner was judged with the owner. No other
    machine of an owner is let by: a restore's patches can put an ownerReference into a VirtualMachine.
    """
    conditions = {
        "is-not-being-deleted": "!has(object.metadata.deletionTimestamp)",
        "changes-what-matters": _changes(WHAT_MATTERS[which]),
    }
    if kubevirt is not None and which[1] == "virtualmachineinstances":
        controller = f"system:serviceaccount:{kubevirt}:kubevirt-controller"
        owned = "object.metadata.?ownerReferences.orValue([]).exists(owner, owner.?controller.orValue(false))"
        by_controller = f"request.userInfo.username == '{controller}'"
        conditions["is-not-made-for-an-owner"] = f"oldObject != null || !({by_controller} && {owned})"
    return conditions


def _changes(paths: tuple[tuple[str, ...], ...]) -> str:
    """CEL that holds on a creation, where the old object is null, and where one of the paths changes."""
    chains = ("".join(f".?{key}" for key in path) for path in paths)
    return " || ".join(["oldObject == null", *(f"object{chain} != oldObject{chain}" for chain in chains)])
