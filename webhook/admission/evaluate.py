"""Change → verdict: on whose behalf the request comes, whose labels exempt, what is pre-existing."""

from __future__ import annotations

from dataclasses import replace

from webhook.admission.change import Change
from webhook.admission.labels import guarded_labels
from webhook.admission.requester import Requester, read_requester
from webhook.admission.restores import evaluate_restore
from webhook.admission.rights import not_carried, without_effect, without_right
from webhook.admission.scope import KIND_OF_RESTORE_OR_CLONE, is_patched
from webhook.cluster import Cluster
from webhook.engine import Question, answer, answer_start
from webhook.kubevirt.unverified import unverified_names
from webhook.objects import Object, at, items, mapping
from webhook.policy.verdict import Verdict, Violation
from webhook.settings import Settings


def evaluate_change(change: Change | None, cluster: Cluster, settings: Settings, *, final: bool) -> Verdict | None:
    """Return the verdict on the VM that a request creates or changes, None where there is nothing to evaluate.

    Raises `webhook.cluster.Undecidable`.
    """
    if change is None or settings.mode == "off":
        return None
    if change.kind in KIND_OF_RESTORE_OR_CLONE.values():
        requester = read_requester(change, cluster, settings)
        return None if requester.is_controller else evaluate_restore(change, cluster, settings)
    if not (change.labels or change.is_evaluated):
        return None
    requester = read_requester(change, cluster, settings)
    denied = _denied_labels(change, requester, cluster, settings) if final else []
    source = {} if denied else requester.exemption_source(change)
    verdict = _evaluate_vm(change, requester, source, cluster, settings, final) or change.nothing_found
    remarks = without_effect(label for label in guarded_labels(change.obj) if label in change.labels) if final else []
    return replace(
        verdict,
        violations=[*denied, *verdict.violations],
        remarks=[*verdict.remarks, *remarks],
        missing_names=_missing_names(verdict, change, cluster),
    )


def _denied_labels(change: Change, requester: Requester, cluster: Cluster, settings: Settings) -> list[Violation]:
    """What the request changes of our labels without the right. A VMI's own labels exempt nothing."""
    if not requester.is_kubevirt:
        return without_right(change, cluster, settings)
    source = requester.owner.obj if requester.owner else requester.restore
    return [] if change.is_vmi else not_carried(change.labels, source, settings)


def _evaluate_vm(
    change: Change, requester: Requester, source: Object, cluster: Cluster, settings: Settings, final: bool
) -> Verdict | None:
    if not change.is_evaluated:
        return None
    owner = requester.owner.obj if requester.owner else None
    question = Question(change.obj, change.old, change.request.operation, source, final=final)
    if owner is None:
        return answer(question, cluster, settings)
    if change.is_vmi and change.old is None:
        return _evaluate_start(question, cluster, settings)
    if change.is_vmi:
        return answer(replace(question, old=_with_volumes_of(owner, change.old or {})), cluster, settings)
    verdict = answer(replace(question, old=change.old or owner), cluster, settings)
    if verdict.allowed or change.old is None:
        return verdict
    return answer(replace(question, old=owner), cluster, settings)


def _evaluate_start(question: Question, cluster: Cluster, settings: Settings) -> Verdict | None:
    """What an owned VMI holds was evaluated with its owner, except for what is unverified.

    The mutating side evaluates it only to set the eviction strategy; the annotation stays as it is.
    """
    if not question.final:
        verdict = answer(replace(question, old=question.obj), cluster, settings)
        return replace(verdict, annotation_patch=[])
    names = unverified_names(question.obj)
    return answer_start(question, names, cluster, settings) if names else None


def _missing_names(verdict: Verdict, change: Change, cluster: Cluster) -> list[str]:
    """The names that the unverified annotation must hold and does not, where our patch could have added them.

    Offline the object may not have been patched, so only names that the request removes are missing.
    """
    if not is_patched(change.request):
        return []
    return verdict.missing_names if cluster.is_live else removed_names(change, verdict)


def removed_names(change: Change, verdict: Verdict) -> list[str]:
    """Return which of the missing names the annotation had before this request."""
    before = unverified_names(change.old) if change.old and verdict.missing_names else frozenset()
    return [name for name in verdict.missing_names if name in before]


def _with_volumes_of(owner: Object, vmi: Object) -> Object:
    """Return a VMI with its VirtualMachine's volumes added: those were evaluated with the VirtualMachine."""
    declared = items(at(owner, "spec", "template", "spec", "volumes"))
    requests = (mapping(at(request, "addVolumeOptions")) for request in items(at(owner, "status", "volumeRequests")))
    requested = ({"name": found.get("name"), **mapping(found.get("volumeSource"))} for found in requests)
    spec = mapping(vmi.get("spec"))
    return {**vmi, "spec": {**spec, "volumes": [*items(spec.get("volumes")), *declared, *requested]}}
