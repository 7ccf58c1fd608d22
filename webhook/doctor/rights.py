"""What we need the API server to let us do."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.cluster import ClusterUnavailable
from webhook.cluster.api import Api
from webhook.cluster.resources import MARKED_MACHINES, RESOURCES
from webhook.doctor.finding import Finding
from webhook.objects import at

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_SECONDS = 10.0
_ABOUT = "rights"
_REMEDY = "Give it by the chart's ClusterRole; without it machines are judged on less, or their marks stay"

Needed = tuple[str, str, str]


def needed() -> Iterator[Needed]:
    """Yield verb, group and resource of each right that a replica needs to judge, over all namespaces."""
    for resource in RESOURCES:
        verbs = ("get", "list", "watch") if resource.watched else ("get",)
        yield from ((verb, resource.group, resource.plural) for verb in verbs)
    yield ("create", "authorization.k8s.io", "subjectaccessreviews")
    yield ("create", "", "events")
    yield from (("patch", resource.group, resource.plural) for resource in MARKED_MACHINES)


def look_at_rights(api: Api) -> list[Finding]:
    """Return whether we, as who we are now, have every right."""
    try:
        asked = list(dict.fromkeys(needed()))
        missing = [right for right in asked if not _may(api, right)]
    except ClusterUnavailable as error:
        return [Finding("error", _ABOUT, str(error), "See whether the API server is well, and try again")]
    if not missing:
        return [Finding("ok", _ABOUT, f"all {len(asked)} rights for judging machines are there")]
    return [
        Finding("error", _ABOUT, f"we may not {' or '.join(verbs)} {resource}", _REMEDY)
        for resource, verbs in _by_resource(missing).items()
    ]


def _by_resource(rights: list[Needed]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for verb, group, resource in rights:
        found.setdefault(f"{resource}.{group}" if group else resource, []).append(verb)
    return found


def _may(api: Api, right: Needed) -> bool:
    verb, group, resource = right
    attributes = {"verb": verb, "group": group, "resource": resource}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return at(api.post(_REVIEWS, review, timeout=_SECONDS), "status", "allowed") is True
