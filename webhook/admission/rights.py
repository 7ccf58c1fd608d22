"""Who may exempt: a user who sets or changes one of our labels needs the right."""

from __future__ import annotations

from collections.abc import Iterable

from webhook.admission.change import Change
from webhook.admission.labels import GuardedLabel, guarded_labels
from webhook.cluster import Cluster
from webhook.cluster.interface import Right
from webhook.names import VERB
from webhook.objects import Object
from webhook.policy.verdict import Violation
from webhook.settings import Mode, Settings
from webhook.wording import quoted, warning

RULE = "exemption"


def without_effect(changed: Iterable[GuardedLabel]) -> list[str]:
    """Return a warning for each label that names no rule, or no mode, and so does nothing."""
    return [
        warning(f"{quoted(label.key)} = {quoted(label.value)} does nothing: {why}", RULE)
        for label in changed
        if (why := label.why_without_effect)
    ]


def without_right(change: Change, cluster: Cluster, settings: Settings) -> list[Violation]:
    """Return a violation for each label that the user may not change. Raises `webhook.cluster.Undecidable`."""
    if not change.labels or settings.mode == "off":
        return []
    request = change.request
    right = Right(VERB, "kubevirt.io", "virtualmachines", request.namespace, "")
    if change.kind == "Namespace":
        right = Right(VERB, "", "namespaces", "", request.name)
    if request.user not in settings.exemptions.excluded_users and cluster.may(request.user_info, right):
        return []
    return [_without_right(label, request.user, right, settings.mode) for label in change.labels]


def not_carried(changed: Iterable[GuardedLabel], source: Object | None, settings: Settings) -> list[Violation]:
    """Return a violation for each label that KubeVirt writes and the exemption source does not carry.

    KubeVirt's service accounts hold every right and do what users ask for, so their right is not checked: that of the
    user who created the owner, the restore or the clone was.
    """
    if settings.mode == "off":
        return []
    carried = {(label.key, label.value) for label in guarded_labels(source)}
    return [_not_carried(label, settings.mode) for label in changed if (label.key, label.value) not in carried]


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


def _not_carried(label: GuardedLabel, mode: Mode) -> Violation:
    return request_violation(
        RULE,
        label.field,
        f"{quoted(label.key)} would be set on a VM that KubeVirt creates",
        "no user's right to set it was checked",
        "Set the same on the restore, clone or pool itself, which needs the right, or patch it out",
        mode,
    )


def _without_right(label: GuardedLabel, user: str, right: Right, mode: Mode) -> Violation:
    resource = f"{right.resource}.{right.group}" if right.group else right.resource
    where = f"in namespace {right.namespace}" if right.namespace else f"for namespace {right.name}"
    return request_violation(
        RULE,
        label.field,
        f"{quoted(user)} may not set, change or remove {quoted(label.key)}",
        "it decides which VMs may stay unmigratable, which needs a right of its own",
        f'Ask for the verb "{VERB}" on {resource} {where}, or leave it as it is',
        mode,
    )
