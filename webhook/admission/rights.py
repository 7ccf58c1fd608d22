"""Who may exempt: the right is asked of the real user wherever one of our labels is set or changed."""

from __future__ import annotations

from collections.abc import Iterable

from webhook.admission.labels import Tag, tags_of
from webhook.admission.review import Request
from webhook.cluster import Cluster
from webhook.cluster.interface import Right
from webhook.names import VERB
from webhook.objects import Object
from webhook.policy import Violation
from webhook.settings import Mode, Settings
from webhook.wording import quoted, warning

RULE = "exemption"


def without_effect(changed: Iterable[Tag]) -> list[str]:
    """Return a warning for each label that names no rule, or no mode, and so does nothing."""
    return [
        warning(f"{quoted(tag.key)} = {quoted(tag.value)} does nothing: {why}", RULE)
        for tag in changed
        if (why := tag.why_without_effect)
    ]


def without_right(request: Request, changed: Iterable[Tag], cluster: Cluster, settings: Settings) -> list[Violation]:
    """Return a violation for each tag that the request's user may not change. Raises `webhook.cluster.Undecidable`."""
    changed = list(changed)
    if not changed or settings.mode == "off":
        return []
    right = _right(request)
    if request.user not in settings.exemptions.excluded_users and cluster.may(request.user_info, right):
        return []
    return [_without_right(tag, request, right, settings.mode) for tag in changed]


def not_carried(changed: Iterable[Tag], source: Object | None, settings: Settings) -> list[Violation]:
    """Return a violation for each tag that KubeVirt writes and the exemption source it writes for does not carry.

    KubeVirt's service accounts hold every right and are steered by users, so they are never asked: the user who
    created the owner, the restore or the clone was.
    """
    carried = {(tag.key, tag.value) for tag in tags_of(source).values()}
    missing = [tag for tag in changed if (tag.key, tag.value) not in carried]
    return [_not_carried(tag, settings.mode) for tag in missing if settings.mode != "off"]


def request_violation(rule: str, field: str, what: str, why: str, remedy: str, mode: Mode) -> Violation:
    """Return a violation of a rule about the request itself, which no exemption waives; in mode warn it only warns."""
    return Violation(
        rule=rule,
        reason=None,
        volume=None,
        field=field,
        message=f"{what}; {why}",
        remedy=remedy,
        action="deny" if mode == "deny" else "warn",
        preexisting=False,
        exempt=False,
        evidence=None,
        what=what,
    )


def _not_carried(tag: Tag, mode: Mode) -> Violation:
    return request_violation(
        RULE,
        tag.field,
        f"{quoted(tag.key)} would come with a VM that KubeVirt makes",
        "nobody was asked whether it may",
        "Set the same on the restore, clone or pool itself, which needs the right, or patch it out",
        mode,
    )


def _right(request: Request) -> Right:
    if request.resource == "namespaces":
        return Right(VERB, "", "namespaces", "", request.name)
    return Right(VERB, "kubevirt.io", "virtualmachines", request.namespace, "")


def _without_right(tag: Tag, request: Request, right: Right, mode: Mode) -> Violation:
    resource = f"{right.resource}.{right.group}" if right.group else right.resource
    where = f"in namespace {right.namespace}" if right.namespace else f"for namespace {right.name}"
    return request_violation(
        RULE,
        tag.field,
        f"{quoted(request.user)} may not set {quoted(tag.key)}",
        "it decides what may stay unmigratable, which needs a right of its own",
        f'Ask for the verb "{VERB}" on {resource} {where}, or leave it out',
        mode,
    )
