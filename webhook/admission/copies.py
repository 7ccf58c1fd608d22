"""Restores and clones, evaluated at their own creation by the VM that they create.

Denying that VM later, when KubeVirt's controller creates it, would make KubeVirt try for ever, and the user who asked
would not hear of it.
"""

from __future__ import annotations

from dataclasses import replace

from webhook.admission.change import Change
from webhook.admission.labels import changed_tags
from webhook.admission.rights import not_carried, request_violation, without_right
from webhook.cluster import Cluster
from webhook.cluster.overlay import Overlay
from webhook.cluster.resources import CLAIMS, NAMESPACES
from webhook.engine import Question, answer, enforced_in
from webhook.machines.copies import SOURCE_FIELD, Copy, Unpatchable, read_copy
from webhook.objects import at, items
from webhook.policy import Verdict, Violation
from webhook.settings import Settings

RULE = "copy-known"


def evaluate_restore(change: Change, cluster: Cluster, settings: Settings) -> Verdict:
    """Return the verdict on the VM that a restore or clone creates, put in terms of the restore or clone.

    A label of ours that it brings must stand on the restore or clone itself, whose author is asked for the right. Where
    nobody can tell yet which VM it creates, it is admitted with a warning, unless it has patches, which could bring
    anything. Raises `webhook.cluster.Undecidable`.
    """
    denied = without_right(change.request, change.tags, cluster, settings)
    verdict = replace(change.nothing_found, violations=denied)
    if change.request.operation != "CREATE":
        return verdict
    try:
        created = read_copy(change.obj, change.request.namespace, cluster)
    except Unpatchable as error:
        return replace(verdict, violations=[*denied, *_unknown(str(error), change, cluster, settings)])
    if isinstance(created, Copy):
        return _evaluated(change, created, denied, cluster, settings)
    if items(at(change.obj, "spec", "patches")):
        unknown = _unknown(f"{created}, so its patches cannot be judged", change, cluster, settings)
        return replace(verdict, violations=[*denied, *unknown])
    return replace(verdict, remarks=[f"{created}, so the machine is judged only when it is made"])


def _evaluated(change: Change, created: Copy, denied: list[Violation], cluster: Cluster, settings: Settings) -> Verdict:
    brought = not_carried(changed_tags(created.machine, created.replaces), change.obj, settings)
    operation = "UPDATE" if created.replaces else "CREATE"
    source = {} if denied else created.replaces or change.obj
    found = answer(
        Question(created.machine, created.replaces, operation, source),
        Overlay(cluster, CLAIMS, change.request.namespace, created.claims),
        settings,
    )
    of_vm = [_in_terms_of(violation, change.kind) for violation in (*brought, *found.violations)]
    return replace(
        change.nothing_found,
        violations=[*denied, *of_vm],
        remarks=found.remarks,
        case=found.case,
    )


def _in_terms_of(violation: Violation, kind: str) -> Violation:
    message = f"the machine that it makes breaks a rule at {violation.field}: {violation.message}"
    return replace(violation, field=SOURCE_FIELD[kind], message=message)


def _unknown(what: str, change: Change, cluster: Cluster, settings: Settings) -> list[Violation]:
    mode = enforced_in(cluster.get(NAMESPACES, change.request.namespace), settings).mode
    why = "they could bring what nobody has judged"
    remedy = "Leave the patches out, or give one JSON Patch operation in each that applies once the source is ready"
    return [] if mode == "off" else [request_violation(RULE, "spec.patches", what, why, remedy, mode)]
