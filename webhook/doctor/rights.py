"""What the webhook's account needs the API server to let it do, and what of that we may read ourselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from webhook.admission.probe import PROBE_NAME
from webhook.cluster import Cluster, ClusterUnavailable
from webhook.cluster.api import Client
from webhook.cluster.interface import Right
from webhook.cluster.resources import RESOURCES, UNVERIFIED_VMS
from webhook.doctor.finding import Finding, Status
from webhook.installation import Installation
from webhook.names import CONFIGURATION
from webhook.objects import at

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_ABOUT = "rights"
_ADMISSION, _RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"


def to_read() -> Iterator[Right]:
    """Yield each right to read what a verdict rests on, over all namespaces."""
    for resource in RESOURCES:
        verbs = ("get", "list", "watch") if resource.watched else ("get",)
        yield from (_right(verb, resource.group, resource.plural) for verb in verbs)


def to_act() -> Iterator[Right]:
    """Yield each right to do what evaluating needs beside reading, over all namespaces."""
    yield _right("create", "authorization.k8s.io", "subjectaccessreviews")
    yield _right("create", "", "events")
    yield from (_right("patch", resource.group, resource.plural) for resource in UNVERIFIED_VMS)


def as_leader(installation: Installation) -> Iterator[Right]:
    """Yield each right to keep the webhook configurations, the Lease and the CA of an installation."""
    keeping, watching = ("get", "create", "update", "patch", "delete"), ("list", "watch")
    for kind, name, verbs in (
        ("validatingwebhookconfigurations", CONFIGURATION, (*keeping, *watching)),
        ("mutatingwebhookconfigurations", CONFIGURATION, (*keeping, *watching)),
        ("validatingwebhookconfigurations", PROBE_NAME, keeping),
    ):
        yield from (_right(verb, _ADMISSION, kind, name=name) for verb in verbs)
    yield _right("get", _RBAC, "clusterroles", name=installation.owner)
    namespace, writing = installation.namespace, ("get", "update", "delete")
    kept: list[tuple[str, str, str, tuple[str, ...]]] = [("coordination.k8s.io", "leases", installation.lease, writing)]
    if installation.certificates.source == "selfSigned":
        kept.append(("", "secrets", installation.certificates.secret, (*writing, *watching)))
    for group, resource, name, wanted in kept:
        yield _right("create", group, resource, namespace)
        yield from (_right(verb, group, resource, namespace, name) for verb in wanted)
    yield _right("list", "", "pods", namespace)


def look_at_our_rights(client: Client) -> list[Finding]:
    """Return whether we, as who we are now, may read what a verdict rests on, as what else the doctor says does."""
    asked = list(dict.fromkeys(to_read()))
    try:
        missing = [right for right in asked if not _may(client, right)]
    except ClusterUnavailable as error:
        return [Finding("error", _ABOUT, str(error), "See whether the API server is well, and try again")]
    remedy = "Run as somebody who may: without it what is said below rests on less"
    return _reported("anyone who runs this, to read", asked, missing, "warning", remedy)


def look_at_rights_of(account: str | None, installation: Installation, cluster: Cluster) -> list[Finding]:
    """Return whether the service account of an installation has every right; None where no pod tells which it is."""
    if account is None:
        remedy = f"See whether there are pods in namespace {installation.namespace}, and whether we may list them"
        return [Finding("warning", _ABOUT, "not asked for the webhook's account: no pod tells which it is", remedy)]
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{installation.namespace}", "system:authenticated"]
    user = {"username": f"system:serviceaccount:{installation.namespace}:{account}", "groups": groups}
    asked = list(dict.fromkeys([*to_read(), *to_act(), *as_leader(installation)]))
    try:
        missing = [right for right in asked if not cluster.may(user, right)]
    except ClusterUnavailable as error:
        remedy = "Give the right to create subjectaccessreviews.authorization.k8s.io, or run helm test, which has it"
        return [Finding("warning", _ABOUT, f"not asked for {user['username']}: {error}", remedy)]
    remedy = (
        "Give it by the chart's roles; without it VMs are evaluated on less, or webhook configurations are not kept"
    )
    return _reported(str(user["username"]), asked, missing, "error", remedy)


def _reported(who: str, asked: list[Right], missing: list[Right], status: Status, remedy: str) -> list[Finding]:
    if not missing:
        return [Finding("ok", _ABOUT, f"{who}: all {len(asked)} rights are there")]
    return [
        Finding(status, _ABOUT, f"{who}: {' or '.join(verbs)} {what} is not allowed", remedy)
        for what, verbs in _by_object(missing).items()
    ]


def _by_object(rights: Iterable[Right]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for right in rights:
        what = f"{right.resource}.{right.group}" if right.group else right.resource
        name = f" {right.name}" if right.name else ""
        place = f" in namespace {right.namespace}" if right.namespace else ""
        found.setdefault(f"{what}{name}{place}", []).append(right.verb)
    return found


def _may(client: Client, right: Right) -> bool:
    attributes = {"verb": right.verb, "group": right.group, "resource": right.resource}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return at(client.create(_REVIEWS, review), "status", "allowed") is True


def _right(verb: str, group: str, resource: str, namespace: str = "", name: str = "") -> Right:
    return Right(verb, group, resource, namespace, name)
