"""Request → verdict: whose machine it is, whose labels count, what was there before."""

from __future__ import annotations

from dataclasses import replace

from webhook.admission.copies import judge_copy
from webhook.admission.owner import (
    is_kubevirt_controller,
    is_of_kubevirt,
    is_restored,
    located,
    owner_of,
    with_volumes_of,
)
from webhook.admission.review import Request
from webhook.admission.rights import changes, without_right
from webhook.admission.scope import as_machine, is_copy, is_guarded, is_judged, kind_of
from webhook.cluster import Cluster
from webhook.cluster.facts import OwnerFacts
from webhook.engine import evaluate
from webhook.objects import Object
from webhook.policy import Verdict
from webhook.settings import Settings

_NOBODY: Object = {}


def judge_request(request: Request, cluster: Cluster, settings: Settings, *, final: bool) -> Verdict:
    """Return the verdict on the machine that a request brings; one without violations where there is nothing to judge.

    Raises `webhook.cluster.Undecidable`.
    """
    settings = located(request, cluster, settings)
    if request.obj is not None and is_copy(request):
        if is_kubevirt_controller(request, settings):
            return _nothing(request)
        return judge_copy(request, as_machine(request.obj, request), cluster, settings)
    if request.obj is None or not is_guarded(request):
        return _nothing(request)
    unrightful = without_right(request, changes(request.obj, request.old), cluster, settings) if final else []
    verdict = _judge_machine(request, cluster, settings, final, bool(unrightful))
    return replace(verdict, violations=[*unrightful, *verdict.violations])


def _judge_machine(request: Request, cluster: Cluster, settings: Settings, final: bool, unrightful: bool) -> Verdict:
    if not is_judged(request):
        return _nothing(request)
    obj = as_machine(request.obj or {}, request)
    old: Object | None = as_machine(request.old, request) if request.old else None
    owner = owner_of(request, cluster, settings)
    if owner is not None and old is None and final and _is_instance(request):
        return _nothing(request)
    bearer = _NOBODY if unrightful else _bearer(request, obj, old, owner, cluster, settings)
    if owner is not None:
        old = _before(request, obj, old, owner)
    return evaluate(obj, cluster, old=old, settings=settings, operation=request.operation, final=final, bearer=bearer)


def _bearer(
    request: Request, obj: Object, old: Object | None, owner: OwnerFacts | None, cluster: Cluster, settings: Settings
) -> Object:
    """Whose labels exempt: the owner's; of what KubeVirt writes by itself, those that were there, or that a restore
    was asked the right for; else the machine's own.
    """
    if owner is not None:
        return owner.obj
    if not is_of_kubevirt(request, settings):
        return obj
    if old is not None:
        return old
    return obj if is_restored(request, cluster, settings) else _NOBODY


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


def _nothing(request: Request) -> Verdict:
    return Verdict(kind_of(request), request.namespace, request.name)
