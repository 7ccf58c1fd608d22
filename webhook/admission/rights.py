"""Who may exempt: the right is asked of the real user wherever a label of ours comes or changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from webhook.admission.review import Request
from webhook.cluster import Cluster
from webhook.cluster.interface import Right
from webhook.machines.reader import METADATA_PATHS
from webhook.names import ENFORCEMENT, EXEMPT, REASON, VERB, is_ours
from webhook.objects import Object, at, mapping, string_map
from webhook.policy import Violation
from webhook.policy.exemptions import ALL
from webhook.policy.rules import RULES
from webhook.settings import MODES, Mode, Settings
from webhook.wording import listed, quoted, warning

RULE = "exemption"


@dataclass(frozen=True, slots=True)
class Tag:
    """A label of ours, or the annotation with the reason, and where it stands."""

    field: str
    key: str
    value: str


def tags_of(obj: Object | None) -> dict[str, Tag]:
    """Return the labels of ours, and the reasons beside them, that an object and its templates carry, by place."""
    return {f"{tag.field}/{tag.key}": tag for tag in _tags(obj)}


def _tags(obj: Object | None) -> Iterator[Tag]:
    for path in METADATA_PATHS:
        metadata, field = mapping(at(obj, *path)), ".".join(path)
        for key, value in string_map(metadata.get("labels")).items():
            if is_ours(key):
                yield Tag(f"{field}.labels", key, value)
        reason = string_map(metadata.get("annotations")).get(REASON)
        if reason is not None:
            yield Tag(f"{field}.annotations", REASON, reason)


def changes(obj: Object | None, old: Object | None) -> list[Tag]:
    """Return the tags that need the right: those that come or change, and an enforcement level that goes."""
    now, before = tags_of(obj), tags_of(old)
    brought = [tag for place, tag in now.items() if place not in before or before[place].value != tag.value]
    lifted = [tag for place, tag in before.items() if place not in now and tag.key == ENFORCEMENT]
    return [*brought, *lifted]


def misspelt(changed: list[Tag]) -> list[str]:
    """Return a warning for each label that names no rule, or no level, and so does nothing."""
    return [
        warning(f"{quoted(tag.key)} = {quoted(tag.value)} does nothing: {why}", RULE)
        for tag in changed
        if (why := _why_nothing(tag))
    ]


def _why_nothing(tag: Tag) -> str | None:
    if tag.key == ENFORCEMENT and tag.value not in MODES:
        return f"it is none of {listed(reversed(MODES))}"
    rule = tag.key.removeprefix(EXEMPT)
    if tag.key.startswith(EXEMPT) and rule != ALL and rule not in {known.name for known in RULES}:
        return "there is no such rule"
    return None


def without_right(request: Request, changed: list[Tag], cluster: Cluster, settings: Settings) -> list[Violation]:
    """Return a violation for each tag that the request's user may not change. Raises `webhook.cluster.Undecidable`."""
    if not changed or settings.mode == "off":
        return []
    right = _right(request)
    if request.user not in settings.exemptions.excluded_users and cluster.may(request.user_info, right):
        return []
    return [_violation(tag, request, right, settings.mode) for tag in changed]


def not_carried(changed: list[Tag], carrier: Object | None, settings: Settings) -> list[Violation]:
    """Return a violation for each tag that KubeVirt writes and the object it writes for does not carry.

    KubeVirt's service accounts hold every right and are steered by users, so they are never asked: who made the owner,
    the restore or the clone was.
    """
    carried = {(tag.key, tag.value) for tag in tags_of(carrier).values()}
    missing = [tag for tag in changed if (tag.key, tag.value) not in carried]
    return [_uncarried(tag, settings.mode) for tag in missing if settings.mode != "off"]


def _uncarried(tag: Tag, mode: Mode) -> Violation:
    what = f"{quoted(tag.key)} would come with a machine that KubeVirt makes"
    return refusal(
        RULE,
        tag.field,
        what,
        "nobody was asked whether it may",
        "Set the same on the restore, clone or pool itself, which needs the right, or patch it out",
        mode,
    )


def _right(request: Request) -> Right:
    if request.resource == "namespaces":
        return Right(VERB, "", "namespaces", "", request.name)
    return Right(VERB, "kubevirt.io", "virtualmachines", request.namespace, "")


def _violation(tag: Tag, request: Request, right: Right, mode: Mode) -> Violation:
    resource = f"{right.resource}.{right.group}" if right.group else right.resource
    where = f"in namespace {right.namespace}" if right.namespace else f"for namespace {right.name}"
    return refusal(
        RULE,
        tag.field,
        f"{quoted(request.user)} may not set {quoted(tag.key)}",
        "it decides what may stay unmigratable, which needs a right of its own",
        f'Ask for the verb "{VERB}" on {resource} {where}, or leave it out',
        mode,
    )


def refusal(rule: str, field: str, what: str, why: str, remedy: str, mode: Mode) -> Violation:
    """Return a violation of a rule about the request itself, which no exemption waives; in mode warn it only warns."""
    return Violation(
        rule=rule,
        reason=None,
        volume=None,
        field=field,
        message=f"{what}; {why}",
        remedy=remedy,
        action="deny" if mode == "deny" else "warn",
        tolerated=False,
        exempt=False,
        evidence=None,
        what=what,
    )
