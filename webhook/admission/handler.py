"""Request → response: the verdict put into the words of the admission API."""

from __future__ import annotations

from typing import Any

from webhook.admission import review
from webhook.admission.copies import judge_copy
from webhook.admission.owner import is_kubevirt_controller, owner_of, with_volumes_of
from webhook.admission.review import Request, Response
from webhook.admission.scope import as_machine, is_copy, is_judged, kind_of
from webhook.cluster import Cluster
from webhook.cluster.facts import OwnerFacts
from webhook.engine import evaluate
from webhook.objects import Object
from webhook.policy import Verdict, Violation
from webhook.settings import Settings


def validate(request: Request, cluster: Cluster, settings: Settings, seconds: float) -> tuple[Response, Verdict]:
    """Answer a validating request within so many seconds, and return the verdict behind the answer.

    Every refusal is confirmed by reading anew what it rests on: a cache may lag behind the user who just mended the
    claim. Raises `webhook.cluster.Undecidable`.
    """
    verdict = judge_request(request, cluster.within(seconds), settings, final=True)
    if not verdict.allowed:
        verdict = judge_request(request, cluster.within(seconds, confirm=True), settings, final=True)
    if verdict.allowed:
        return review.allowed(request, verdict.warnings, _annotations(verdict)), verdict
    status = _status(request, [violation for violation in verdict.violations if violation.refuses])
    return review.denied(request, status, verdict.warnings, _annotations(verdict)), verdict


def mutate(request: Request, cluster: Cluster, settings: Settings, seconds: float) -> tuple[Response, Verdict]:
    """Answer a mutating request: with our patch where there is one. Raises `webhook.cluster.Undecidable`."""
    verdict = judge_request(request, cluster.within(seconds), settings, final=False)
    if verdict.patch and not request.subresource:
        return review.patched(request, verdict.patch, verdict.notes), verdict
    return review.allowed(request, verdict.notes), verdict


def judge_request(request: Request, cluster: Cluster, settings: Settings, *, final: bool) -> Verdict:
    """Return the verdict on the machine that a request brings; one without violations where there is nothing to judge.

    Raises `webhook.cluster.Undecidable`.
    """
    nothing = Verdict(kind_of(request), request.namespace, request.name)
    if request.obj is not None and is_copy(request) and not is_kubevirt_controller(request, settings):
        return judge_copy(request, as_machine(request.obj, request), cluster, settings)
    if request.obj is None or not is_judged(request):
        return nothing
    obj = as_machine(request.obj, request)
    old: Object | None = as_machine(request.old, request) if request.old else None
    owner = owner_of(request, cluster, settings)
    if owner is not None:
        if _is_instance(request) and old is None and final:
            return nothing
        old = _before(request, obj, old, owner)
    return evaluate(obj, cluster, old=old, settings=settings, operation=request.operation, final=final)


def _before(request: Request, obj: Object, old: Object | None, owner: OwnerFacts) -> Object:
    """What is tolerated of a machine that KubeVirt makes or changes for an owner, who was judged in its place.

    A VirtualMachine of a Pool may violate what the Pool does. An instance must start, whatever it violates, and is
    judged only for the sake of our patch; later it may hold what its VirtualMachine holds.
    """
    if old is None:
        return obj if _is_instance(request) else owner.obj
    return with_volumes_of(owner, old) if _is_instance(request) else old


def _is_instance(request: Request) -> bool:
    return request.resource == "virtualmachineinstances"


def _status(request: Request, refusing: list[Violation]) -> dict[str, Any]:
    """kubectl shows the causes alone, virtctl the message alone, so both say all of it."""
    return {
        "code": 422,
        "reason": "Invalid",
        "message": "; ".join(f"{violation.field}: {violation.cause}" for violation in refusing),
        "details": {
            "group": request.group,
            "kind": kind_of(request),
            "name": request.name,
            "causes": [
                {"reason": "FieldValueInvalid", "message": violation.cause, "field": violation.field}
                for violation in refusing
            ],
        },
    }


def _annotations(verdict: Verdict) -> dict[str, str]:
    """What the API server's audit log keeps: the rules broken, and which of them refused."""
    refused = sorted({violation.rule for violation in verdict.violations if violation.refuses})
    let_pass = sorted({violation.rule for violation in verdict.violations if not violation.refuses})
    found = {"refused": ",".join(refused), "warned": ",".join(let_pass)}
    return {key: value for key, value in found.items() if value}
