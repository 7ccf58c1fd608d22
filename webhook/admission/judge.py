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
from webhook.admission.rights import changes, misspelt, not_carried, without_right
from webhook.admission.scope import as_machine, is_copy, is_guarded, is_judged, is_patched, kind_of
from webhook.cluster import Cluster
from webhook.cluster.facts import OwnerFacts
from webhook.engine import evaluate_for, evaluate_start
from webhook.machines.mark import marked
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
    told = misspelt(changes(request.obj, request.old)) if final else []
    verdict = replace(verdict, violations=[*unrightful, *verdict.violations], unjudged=[*verdict.unjudged, *told])
    return _with_what_it_lacks(verdict, request, cluster)


def _with_what_it_lacks(verdict: Verdict, request: Request, cluster: Cluster) -> Verdict:
    """The verdict with what the marks must name and do not, where our patch could have put it there.

    Offline nobody need have asked for our patch, so that only what was taken away is missed.
    """
    lacking = verdict.lacking if is_patched(request) else []
    if not cluster.is_live and lacking:
        taken = marked(as_machine(request.old, request)) if request.old else frozenset()
        lacking = [name for name in lacking if name in taken]
    return replace(verdict, lacking=lacking)


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
    if owner is not None and old is None and _is_instance(request):
        return _judge_start(request, obj, bearer, cluster, settings, final)

    def judged(before: Object | None) -> Verdict:
        operation = request.operation
        return evaluate_for(bearer, obj, cluster, before, settings, operation, final)

    verdict = judged(_before(request, old, owner) if owner else old)
    if owner is not None and old is not None and not _is_instance(request) and not verdict.allowed:
        return judged(owner.obj)
    return verdict


def _judge_start(
    request: Request, obj: Object, bearer: Object, cluster: Cluster, settings: Settings, final: bool
) -> Verdict:
    """What an instance holds was judged with its owner, but for what its mark names.

    On the mutating side it is judged for the sake of the eviction strategy; the mark that it brings stays.
    """
    if not final:
        verdict = evaluate_for(bearer, obj, cluster, obj, settings, request.operation)
        return replace(verdict, marking=[])
    names = marked(obj)
    return evaluate_start(bearer, obj, names, cluster, settings) if names else _nothing(request)


def _bearer(request: Request, owner: OwnerFacts | None, maker: Object | None, settings: Settings) -> Object:
    """Whose labels exempt: the owner's; of what KubeVirt writes by itself, those that were there, or those of the
    restore or clone that it acts for; else the machine's own.
    """
    if owner is not None:
        return owner.obj
    if not is_of_kubevirt(request, settings):
        return request.obj or _NOBODY
    return request.old or maker or _NOBODY


def _before(request: Request, old: Object | None, owner: OwnerFacts) -> Object:
    """What is tolerated of a machine that KubeVirt makes or changes for an owner, who was judged in its place.

    A VirtualMachine of a Pool may violate what the Pool does; an instance may hold what its VirtualMachine holds.
    """
    if old is None:
        return owner.obj
    return with_volumes_of(owner, old) if _is_instance(request) else old


def _is_instance(request: Request) -> bool:
    return request.resource == "virtualmachineinstances"


def _nothing(request: Request) -> Verdict:
    return Verdict(kind_of(request), request.namespace, request.name)
