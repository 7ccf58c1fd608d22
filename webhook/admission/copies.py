"""Restores and clones, judged at their own creation by the machine that they will make.

Refusing that machine later, when KubeVirt's controller creates it, would make KubeVirt try for ever, and the user who
asked would not hear of it.
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
from webhook.machines.copies import SOURCE_FIELD, Copy, Unpatchable, read_copy
from webhook.objects import Object, at, items
from webhook.policy import Verdict, Violation
from webhook.settings import Settings
from webhook.wording import short

RULE = "copy-known"


def judge_copy(request: Request, cluster: Cluster, settings: Settings) -> Verdict:
    """Return the verdict on the machine that a restore or clone makes, put in terms of the restore or clone.

    A label of ours that it brings must stand on the restore or clone itself, whose author is asked for the right. Where
    nobody can tell yet which machine it makes, it is admitted with a warning, unless it has patches, which could bring
    anything. Raises `webhook.cluster.Undecidable`.
    """
    obj = as_machine(request.obj or {}, request)
    verdict = Verdict(kind_of(request), request.namespace, request.name)
    if settings.mode == "off":
        return verdict
    unrightful = without_right(request, changes(request.obj, request.old), cluster, settings)
    if request.operation != "CREATE":
        return replace(verdict, violations=unrightful)
    try:
        made = read_copy(obj, request.namespace, cluster)
    except Unpatchable as error:
        return replace(verdict, violations=[*unrightful, *_unknown(str(error), request, cluster, settings)])
    if isinstance(made, Copy):
        return _judged(request, obj, made, unrightful, cluster, settings)
    if items(at(obj, "spec", "patches")):
        unknown = _unknown(f"{made}, so its patches cannot be judged", request, cluster, settings)
        return replace(verdict, violations=[*unrightful, *unknown])
    later = [short(f"{made}, so the machine is judged only when it is made")]
    return replace(verdict, violations=unrightful, unjudged=later)


def _judged(
    request: Request, obj: Object, made: Copy, unrightful: list[Violation], cluster: Cluster, settings: Settings
) -> Verdict:
    kind = kind_of(request)
    brought = not_carried(changes(made.machine, made.replaces), obj, settings)
    found = evaluate_for(
        {} if unrightful else made.replaces or obj,
        made.machine,
        Overlay(cluster, CLAIMS, request.namespace, made.claims),
        made.replaces,
        settings,
        "UPDATE" if made.replaces else "CREATE",
    )
    of_machine = [_in_terms_of(violation, kind) for violation in (*brought, *found.violations)]
    verdict = replace(found, kind=kind, name=request.name, violations=[*unrightful, *of_machine])
    return replace(verdict, notes=[], strategy=[], marking=[], lacking=[])


def _in_terms_of(violation: Violation, kind: str) -> Violation:
    message = f"the machine that it makes breaks a rule at {violation.field}: {violation.message}"
    return replace(violation, field=SOURCE_FIELD[kind], message=message)


def _unknown(what: str, request: Request, cluster: Cluster, settings: Settings) -> list[Violation]:
    mode = enforced_in(cluster.get(NAMESPACES, request.namespace), settings).mode
    why = "they could bring what nobody has judged"
    remedy = "Leave the patches out, or give one JSON Patch operation in each that applies once the source is ready"
    return [] if mode == "off" else [refusal(RULE, "spec.patches", what, why, remedy, mode)]
