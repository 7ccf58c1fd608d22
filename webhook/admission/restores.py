"""Restores and clones: evaluated, when they are created or changed, through the VM that they create.

Denying that VM later, when KubeVirt's controller creates it, would make KubeVirt retry for ever, and the requester
would not see why.
"""

from __future__ import annotations

from dataclasses import replace

from webhook.admission.change import Change
from webhook.admission.labels import changed_labels
from webhook.admission.rights import not_carried, request_violation, without_right
from webhook.cluster import Cluster
from webhook.cluster.overlay import Overlay
from webhook.cluster.resources import CLAIMS, NAMESPACES
from webhook.engine import Question, answer, enforced_in
from webhook.kubevirt.patches import NotEvaluated
from webhook.kubevirt.restores import SOURCE_FIELD, CreatedVM, read_created
from webhook.objects import at
from webhook.policy.verdict import Verdict, Violation
from webhook.settings import Settings

RULE = "restore-patches"


def evaluate_restore(change: Change, cluster: Cluster, settings: Settings) -> Verdict:
    """Return the verdict on the VM that a restore or clone creates, in terms of the restore or clone.

    One of our labels that the VM would have must be on the restore or clone itself, whose user needs the right.
    Where the VM is not known yet, the restore or clone is admitted with a warning, unless its patches could add
    anything that matters. Raises `webhook.cluster.Undecidable`.
    """
    denied = without_right(change, cluster, settings)
    verdict = replace(change.nothing_found, violations=denied)
    if change.old is not None:
        is_being_deleted = bool(at(change.old, "metadata", "deletionTimestamp"))
        if is_being_deleted or change.old.get("spec") == change.obj.get("spec"):
            return verdict
    try:
        created = read_created(change.obj, change.request.namespace, cluster)
        if isinstance(created, CreatedVM):
            return _evaluated(change, created, denied, cluster, settings)
    except NotEvaluated as error:
        return replace(verdict, violations=[*denied, *_not_evaluated(error, change, cluster, settings)])
    return replace(verdict, remarks=[f"{created}, so the VM is checked when KubeVirt creates it"])


def _evaluated(
    change: Change, created: CreatedVM, denied: list[Violation], cluster: Cluster, settings: Settings
) -> Verdict:
    added = not_carried(changed_labels(created.vm, created.replaces), change.obj, settings)
    operation = "UPDATE" if created.replaces else "CREATE"
    source = {} if denied else created.replaces or change.obj
    found = answer(
        Question(created.vm, created.replaces, operation, source),
        Overlay(cluster, CLAIMS, change.request.namespace, created.claims),
        settings,
    )
    of_vm = [_in_terms_of(violation, change.kind) for violation in (*added, *found.violations)]
    return replace(change.nothing_found, violations=[*denied, *of_vm], remarks=found.remarks, case=found.case)


def _in_terms_of(violation: Violation, kind: str) -> Violation:
    message = f"the VM it creates violates a rule at {violation.field}: {violation.message}"
    what = f"the VM it creates: {violation.what}"
    return replace(violation, field=SOURCE_FIELD[kind], message=message, what=what)


def _not_evaluated(error: NotEvaluated, change: Change, cluster: Cluster, settings: Settings) -> list[Violation]:
    mode = enforced_in(cluster.get(NAMESPACES, change.request.namespace), settings).mode
    why = "KubeVirt would create a VM that was not evaluated"
    violation = request_violation(RULE, "spec.patches", error.what, why, error.remedy, mode)
    return [] if mode == "off" else [violation]
