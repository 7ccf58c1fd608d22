"""Request → response: the verdict as the admission API expresses it."""

from __future__ import annotations

import time
from typing import Any

from webhook.admission import probe, review
from webhook.admission.change import read_change
from webhook.admission.evaluate import evaluate_change, removed_names
from webhook.admission.review import Request, Response
from webhook.cluster import Cluster, Undecidable
from webhook.names import UNVERIFIED
from webhook.policy.verdict import Verdict
from webhook.settings import Settings
from webhook.wording import listed, warning_lines

_MOST_CAUSES = 64
"""More than a person reads; the response must stay small whatever the object holds."""


def validate(request: Request, cluster: Cluster, settings: Settings, seconds: float) -> tuple[Response, Verdict | None]:
    """Answer a validating request within so many seconds, and return the verdict behind the answer, if there is one.

    A denial is confirmed by live GETs: the cache may be older than the user's fix of the PVC. Raises
    `webhook.cluster.Undecidable`, also where the unverified annotation lacks a name that it must hold: the patch was
    not applied, or somebody removed the name.
    """
    if probe.is_probe(request):
        return review.denied(request, probe.status(), [], {}), None
    verdict = _confirmed(request, cluster, settings, seconds, final=True)
    if verdict is None:
        return review.allowed(request, []), None
    if not verdict.allowed:
        return review.denied(request, _status(request, verdict), verdict.warnings, _annotations(verdict)), verdict
    if verdict.missing_names:
        missing = listed(verdict.missing_names)
        raise Undecidable(f"its annotation {UNVERIFIED} lacks {missing}, which our patch adds; try again")
    return review.allowed(request, verdict.warnings, _annotations(verdict)), verdict


def mutate(request: Request, cluster: Cluster, settings: Settings, seconds: float) -> tuple[Response, Verdict | None]:
    """Answer a mutating request within so many seconds, with our patch where there is one; returns as `validate`.

    Raises `webhook.cluster.Undecidable`. A name that this request removes from the annotation is reverted only after
    live GETs: the leader, which removes it, may have seen a PVC that the cache of this replica does not hold yet.
    """
    verdict = _confirmed(request, cluster, settings, seconds, final=False)
    if verdict is None:
        return review.allowed(request, []), None
    warnings = warning_lines(verdict.eviction_warnings)
    if verdict.patch and not request.subresource:
        return review.patched(request, verdict.patch, warnings), verdict
    return review.allowed(request, warnings), verdict


def _confirmed(
    request: Request, cluster: Cluster, settings: Settings, seconds: float, *, final: bool
) -> Verdict | None:
    """The verdict, by live GETs where the cache speaks against the request, or for a patch that reverts it."""
    deadline, change = time.monotonic() + seconds, read_change(request)
    verdict = evaluate_change(change, cluster.within(seconds), settings, final=final)
    if change is None or verdict is None:
        return None
    is_doubtful = (not verdict.allowed or verdict.missing_names) if final else removed_names(change, verdict)
    if not is_doubtful:
        return verdict
    left = deadline - time.monotonic()
    return evaluate_change(change, cluster.within(left, confirm=True), settings, final=final)


def _status(request: Request, verdict: Verdict) -> dict[str, Any]:
    """kubectl shows only the causes, virtctl only the message, so each says everything."""
    found = [violation for violation in verdict.violations if violation.denies]
    denying, more = found[:_MOST_CAUSES], len(found) - _MOST_CAUSES
    rest = f"; and {more} more reasons" if more > 0 else ""
    return {
        "code": 422,
        "reason": "Invalid",
        "message": "; ".join(f"{violation.field}: {violation.cause}" for violation in denying) + rest,
        "details": {
            "group": request.group,
            "kind": verdict.kind,
            "name": request.name or verdict.name,
            "causes": [
                {"reason": "FieldValueInvalid", "message": violation.cause, "field": violation.field}
                for violation in denying
            ],
        },
    }


def _annotations(verdict: Verdict) -> dict[str, str]:
    """What the API server's audit log keeps: the rules that deny and that warn, and the exemptions used."""
    denied = sorted({violation.rule for violation in verdict.violations if violation.denies})
    warned = sorted({violation.rule for violation in verdict.violations if not violation.denies})
    used = sorted({exemption for violation in verdict.violations if (exemption := verdict.exemption_of(violation))})
    found = {"denied": ",".join(denied), "warned": ",".join(warned), "exempted": "; ".join(used)}
    return {key: value for key, value in found.items() if value}
