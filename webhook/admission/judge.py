"""Request → verdict: whose machine it is, whose labels count, what was there before."""

from __future__ import annotations

from dataclasses import replace

from webhook.admission.copies import judge_copy
from webhook.admission.owner import (
    is_kubevirt_controller,
    is_of_kubevirt,
    located,
    maker_of,
    owner_of,
    with_volumes_of,
)
from webhook.admission.review import Request
from webhook.admission.rights import changes, not_carried, without_right
from webhook.admission.scope import as_machine, is_copy, is_guarded, is_judged, kind_of
from webhook.cluster import Cluster
from webhook.cluster.facts import OwnerFacts
from webhook.engine import evaluate_for
from webhook.objects import Object
from webhook.policy import Verdict, Violation
from webhook.settings import Settings

_NOBODY: Object = {}


def judge_request(request: Request, cluster: Cluster, settings: Settings, *, final: bool) -> Verdict:
    """Return the verdict on the machine that a request brings; one without violations where there is nothing to judge.

    Raises `webhook.cluster.Undecidable`.
    """
    if settings.mode == "off" or request.obj is None or not is_guarded(request):
        return _nothing(request)
    if not (is_copy(request) or is_judged(request) or changes(request.obj, request.old)):
        return _nothing(request)
    settings = located(request, cluster, settings)
    if is_copy(request):
        made_by_kubevirt = is_kubevirt_controller(request, settings)
        return _nothing(request) if made_by_kubevirt else judge_copy(request, cluster, settings)
    owner = owner_of(request, cluster, settings)
    maker = maker_of(request, cluster, settings)
    unrightful = _unrightful(request, owner, maker, cluster, settings) if final else []
    bearer = _NOBODY if unrightful else _bearer(request, owner, maker, settings)
    verdict = _judge_machine(request, owner, bearer, cluster, settings, final)
    return replace(verdict, violations=[*unrightful, *verdict.violations])


def _unrightful(
    request: Request, owner: OwnerFacts | None, maker: Object | None, cluster: Cluster, settings: Settings
) -> list[Violation]:
    """What the request changes of our labels without a right to. An instance's own labels never count."""
    changed = changes(request.obj, request.old)
    if not is_of_kubevirt(request, settings):
        return without_right(request, changed, cluster, settings)
    return [] if _is_instance(request) else not_carried(changed, owner.obj if owner else maker, settings)


def _judge_machine(
    request: Request, owner: OwnerFacts | None, bearer: Object, cluster: Cluster, settings: Settings, final: bool
) -> Verdict:
    if not is_judged(request):
        return _nothing(request)
    obj = as_machine(request.obj or {}, request)
    old: Object | None = as_machine(request.old, request) if request.old else None
    if owner is not None and old is None and final and _is_instance(request):
        return _nothing(request)

    def judged(before: Object | None) -> Verdict:
        operation = request.operation
        return evaluate_for(bearer, obj, cluster, before, settings, operation, final)

    verdict = judged(_before(request, obj, old, owner) if owner else old)
    if owner is not None and old is not None and not _is_instance(request) and not verdict.allowed:
        return judged(owner.obj)
    return verdict


def _bearer(request: Request, owner: OwnerFacts | None, maker: Object | None, settings: Settings) -> Object:
    """Whose labels exempt: the owner's; of what KubeVirt writes by itself, those that were there, or those of the
    restore or clone that it acts for; else the machine's own.
    """
    if owner is not None:
        return owner.obj
    if not is_of_kubevirt(request, settings):
        return request.obj or _NOBODY
    return request.old or maker or _NOBODY


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
