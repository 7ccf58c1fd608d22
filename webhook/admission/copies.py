"""Restores and clones, evaluated at their own creation through the VM that they create.

Denying that VM later, when KubeVirt's controller creates it, would make KubeVirt retry for ever, and the requester
would not see why.
"""

from __future__ import annotations

from dataclasses import replace

from webhook.admission.review import Request
from webhook.admission.rights import changes, not_carried, refusal, without_right
from webhook.admission.scope import as_machine, kind_of
from webhook.cluster import Cluster
from webhook.cluster.overlay import Overlay
from webhook.cluster.resources import CLAIMS, NAMESPACES
from webhook.engine import enforced_in, evaluate_for
from webhook.machines.copies import SOURCE_FIELD, CreatedVM, read_created
from webhook.machines.patches import NotEvaluated
from webhook.objects import Object, at
from webhook.policy import Verdict, Violation
from webhook.settings import Settings
from webhook.wording import short

RULE = "restore-patches"


def judge_copy(request: Request, cluster: Cluster, settings: Settings) -> Verdict:
    """Return the verdict on the VM that a restore or clone creates, in terms of the restore or clone.

    A label of ours that the VM would have must be on the restore or clone itself, whose requester needs the right.
    Where the VM is not known yet, the restore or clone is admitted with a warning, unless its patches could bring
    anything. Raises `webhook.cluster.Undecidable`.
    """
    obj = as_machine(request.obj or {}, request)
    verdict = Verdict(kind_of(request), request.namespace, request.name)
    if settings.mode == "off":
        return verdict
    unrightful = without_right(request, changes(request.obj, request.old), cluster, settings)
    if request.old is not None and at(request.old, "spec") == obj.get("spec"):
        return replace(verdict, violations=unrightful)
    try:
        created = read_created(obj, request.namespace, cluster)
        if isinstance(created, CreatedVM):
            return _evaluated(request, obj, created, unrightful, cluster, settings)
    except NotEvaluated as error:
        return replace(verdict, violations=[*unrightful, *_not_evaluated(error, request, cluster, settings)])
    later = [short(f"{created}, so the VM is checked when KubeVirt creates it")]
    return replace(verdict, violations=unrightful, unjudged=later)


def _evaluated(
    request: Request, obj: Object, created: CreatedVM, unrightful: list[Violation], cluster: Cluster, settings: Settings
) -> Verdict:
    kind = kind_of(request)
    brought = not_carried(changes(created.vm, created.replaces), obj, settings)
    found = evaluate_for(
        {} if unrightful else created.replaces or obj,
        created.vm,
        Overlay(cluster, CLAIMS, request.namespace, created.claims),
        created.replaces,
        settings,
        "UPDATE" if created.replaces else "CREATE",
    )
    of_vm = [_in_terms_of(violation, kind) for violation in (*brought, *found.violations)]
    verdict = replace(found, kind=kind, name=request.name, violations=[*unrightful, *of_vm])
    return replace(verdict, notes=[], strategy=[], marking=[])


def _in_terms_of(violation: Violation, kind: str) -> Violation:
    message = f"the machine that it makes breaks a rule at {violation.field}: {violation.message}"
    return replace(violation, field=SOURCE_FIELD[kind], message=message)


def _not_evaluated(error: NotEvaluated, request: Request, cluster: Cluster, settings: Settings) -> list[Violation]:
    mode = enforced_in(cluster.get(NAMESPACES, request.namespace), settings).mode
    why = "KubeVirt would create a VM that was not evaluated"
    return [] if mode == "off" else [refusal(RULE, "spec.patches", error.what, why, error.remedy, mode)]
