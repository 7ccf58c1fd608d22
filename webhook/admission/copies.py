"""Restores and clones, judged at their own creation by the machine that they will make.

Refusing that machine later, when KubeVirt's controller creates it, would make KubeVirt try for ever, and the user who
asked would not hear of it.
"""

from __future__ import annotations

from dataclasses import replace

from webhook.admission.review import Request
from webhook.admission.rights import changes, without_right
from webhook.admission.scope import kind_of
from webhook.cluster import Cluster
from webhook.cluster.overlay import WithClaims
from webhook.engine import evaluate
from webhook.machines.copies import SOURCE_FIELD, read_copy
from webhook.objects import Object
from webhook.policy import Verdict, Violation
from webhook.settings import Settings
from webhook.wording import short


def judge_copy(request: Request, obj: Object, cluster: Cluster, settings: Settings) -> Verdict:
    """Return the verdict on the machine that a restore or clone makes, put in terms of the restore or clone.

    Where nobody can tell yet which machine that is, it is admitted with a warning, and the machine judged when it
    comes. Raises `webhook.cluster.Undecidable`.
    """
    kind = kind_of(request)
    made = read_copy(obj, request.namespace, cluster)
    if isinstance(made, str):
        unjudged = [short(f"{made}, so the machine is judged only when it is made")]
        return Verdict(kind, request.namespace, request.name, unjudged=unjudged if settings.mode != "off" else [])
    unrightful = without_right(request, changes(made.machine, made.replaces), cluster, settings)
    verdict = evaluate(
        made.machine,
        WithClaims(cluster, request.namespace, made.claims),
        old=made.replaces,
        settings=settings,
        operation="UPDATE" if made.replaces else "CREATE",
        bearer={} if unrightful else None,
    )
    found = (*unrightful, *verdict.violations)
    return replace(
        verdict,
        kind=kind,
        name=request.name,
        violations=[_in_terms_of(violation, kind) for violation in found],
        notes=[],
        patch=[],
    )


def _in_terms_of(violation: Violation, kind: str) -> Violation:
    message = f"the machine that it makes breaks a rule at {violation.field}: {violation.message}"
    return replace(violation, field=SOURCE_FIELD[kind], message=message)
