"""The rights that the webhook's account needs, and which of them to read the user of the doctor has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from webhook.admission.probe import PROBE_NAME
from webhook.cluster import Cluster, ClusterUnavailable
from webhook.cluster.api import Client
from webhook.cluster.interface import Right
from webhook.cluster.resources import RESOURCES, UNVERIFIED_VMS
from webhook.doctor.finding import Finding, Status, unavailable
from webhook.installation import Installation
from webhook.names import CONFIGURATION
from webhook.objects import at

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_ABOUT = "rights"
_ADMISSION, _RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"
_everywhere = partial(Right, namespace="", name="")


def to_read() -> Iterator[Right]:
    """Yield each right to read what a verdict depends on, in all namespaces."""
    for resource in RESOURCES:
        verbs = ("get", "list", "watch") if resource.watched else ("get",)
        yield from (_everywhere(verb, resource.group, resource.plural) for verb in verbs)


def to_act() -> Iterator[Right]:
    """Yield each right that evaluating needs besides reading, in all namespaces."""
    yield _everywhere("create", "authorization.k8s.io", "subjectaccessreviews")
    yield _everywhere("create", "", "events")
    yield from (_everywhere("patch", resource.group, resource.plural) for resource in UNVERIFIED_VMS)


def as_leader(installation: Installation) -> Iterator[Right]:
    """Yield each right to reconcile the webhook configurations, the Lease and the CA of an installation."""
    keeping, watching = ("get", "create", "update", "patch", "delete"), ("list", "watch")
    for kind, name, verbs in (
        ("validatingwebhookconfigurations", CONFIGURATION, (*keeping, *watching)),
        ("mutatingwebhookconfigurations", CONFIGURATION, (*keeping, *watching)),
        ("validatingwebhookconfigurations", PROBE_NAME, keeping),
    ):
        yield from (Right(verb, _ADMISSION, kind, "", name) for verb in verbs)
    yield Right("get", _RBAC, "clusterroles", "", installation.owner)
    namespace, writing = installation.namespace, ("get", "update", "delete")
    kept: list[tuple[str, str, str, tuple[str, ...]]] = [("coordination.k8s.io", "leases", installation.lease, writing)]
    if installation.certificates.source == "selfSigned":
        kept.append(("", "secrets", installation.certificates.secret, (*writing, *watching)))
    for group, resource, name, wanted in kept:
        yield Right("create", group, resource, namespace, "")
        yield from (Right(verb, group, resource, namespace, name) for verb in wanted)
    yield Right("list", "", "pods", namespace, "")


def look_at_our_rights(client: Client) -> list[Finding]:
    """Return whether the user of the doctor may read what a verdict depends on, as its other findings need."""
    asked = list(dict.fromkeys(to_read()))
    try:
        missing = [right for right in asked if not _may(client, right)]
    except ClusterUnavailable as error:
        return unavailable(_ABOUT, error)
    remedy = "Run as a user who may: the findings below depend on it"
    return _reported("your own account, to read", asked, missing, "warning", remedy)


def look_at_rights_of(account: str | None, installation: Installation, cluster: Cluster) -> list[Finding]:
    """Return whether the service account of an installation has every right; None where no pod shows its name."""
    if account is None:
        remedy = f"Check whether pods exist in namespace {installation.namespace}, and whether you may list them"
        return [Finding("warning", _ABOUT, "not checked for the webhook's account: no pod shows its name", remedy)]
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{installation.namespace}", "system:authenticated"]
    name = f"system:serviceaccount:{installation.namespace}:{account}"
    user = {"username": name, "groups": groups}
    asked = list(dict.fromkeys([*to_read(), *to_act(), *as_leader(installation)]))
    try:
        missing = [right for right in asked if not cluster.may(user, right)]
    except ClusterUnavailable as error:
        remedy = "Grant the right to create subjectaccessreviews.authorization.k8s.io, or run helm test, which has it"
        return [Finding("warning", _ABOUT, f"not checked for {name}: {error}", remedy)]
    remedy = "Grant it with the chart's roles; without it, VMs are evaluated with fewer facts, or nothing is reconciled"
    return _reported(name, asked, missing, "error", remedy)


def _reported(who: str, asked: list[Right], missing: list[Right], status: Status, remedy: str) -> list[Finding]:
    if not missing:
        return [Finding("ok", _ABOUT, f"{who}: all {len(asked)} rights are granted")]
    verbs: dict[str, list[str]] = {}
    for right in missing:
        what = f"{right.resource}.{right.group}" if right.group else right.resource
        name = f" {right.name}" if right.name else ""
        place = f" in namespace {right.namespace}" if right.namespace else ""
        verbs.setdefault(f"{what}{name}{place}", []).append(right.verb)
    return [
        Finding(status, _ABOUT, f"{who}: {' or '.join(verbs[what])} {what} is not allowed", remedy) for what in verbs
    ]


def _may(client: Client, right: Right) -> bool:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": right.verb, "group": right.group, "resource": right.resource}},
    }
    return at(client.create(_REVIEWS, review), "status", "allowed") is True
