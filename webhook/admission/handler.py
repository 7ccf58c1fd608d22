"""Request → response: the verdict put into the words of the admission API."""

from __future__ import annotations

import time
from typing import Any

from webhook.admission import probe, review
from webhook.admission.change import read_change
from webhook.admission.evaluate import evaluate_change, removed_names
from webhook.admission.review import Request, Response
from webhook.cluster import Cluster, Undecidable
from webhook.names import UNVERIFIED
from webhook.policy import Verdict
from webhook.settings import Settings
from webhook.wording import listed, warning_lines

_MOST_CAUSES = 64
"""More than a person reads; an answer must stay small whatever an object holds."""


def validate(request: Request, cluster: Cluster, settings: Settings, seconds: float) -> tuple[Response, Verdict | None]:
    """Answer a validating request within so many seconds, and return the verdict behind the answer, if there is one.

    Every denial is confirmed by reading again what it rests on: a cache may lag behind the user who just fixed the
    PVC. Raises `webhook.cluster.Undecidable`, also where the unverified annotation does not name all that it must:
    our patch did not come, or somebody took it away.
    """
    if probe.is_probe(request):
        return review.denied(request, probe.status(), [], {}), None
    deadline, change = time.monotonic() + seconds, read_change(request)
    verdict = evaluate_change(change, cluster.within(seconds), settings, final=True)
    if verdict is not None and (not verdict.allowed or verdict.missing_names):
        left = deadline - time.monotonic()
        verdict = evaluate_change(change, cluster.within(left, confirm=True), settings, final=True)
    if verdict is None:
        return review.allowed(request, []), None
    if not verdict.allowed:
        return review.denied(request, _status(request, verdict), verdict.warnings, _annotations(verdict)), verdict
    if verdict.missing_names:
        missing = listed(verdict.missing_names)
        raise Undecidable(f"its annotation {UNVERIFIED} lacks {missing}, which our patch puts there; try again")
    return review.allowed(request, verdict.warnings, _annotations(verdict)), verdict


def mutate(request: Request, cluster: Cluster, settings: Settings, seconds: float) -> tuple[Response, Verdict | None]:
    """Answer a mutating request: with our patch where there is one. Raises `webhook.cluster.Undecidable`.

    A name that this request takes out of the annotation is reverted only after live GETs: the leader, which clears it,
    may have seen a PVC that our own cache does not show yet.
    """
    deadline, change = time.monotonic() + seconds, read_change(request)
    verdict = evaluate_change(change, cluster.within(seconds), settings, final=False)
    if change is not None and verdict is not None and removed_names(change, verdict):
        left = deadline - time.monotonic()
        verdict = evaluate_change(change, cluster.within(left, confirm=True), settings, final=False)
    if verdict is None:
        return review.allowed(request, []), None
    warnings = warning_lines(verdict.eviction_warnings)
    if verdict.patch and not request.subresource:
        return review.patched(request, verdict.patch, warnings), verdict
    return review.allowed(request, warnings), verdict


def _status(request: Request, verdict: Verdict) -> dict[str, Any]:
    """kubectl shows the causes alone, virtctl the message alone, so both say all of it; of very many the first."""
    denying = [violation for violation in verdict.violations if violation.denies]
    more = len(denying) - _MOST_CAUSES
    denying = denying[:_MOST_CAUSES]
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
    """What the API server's audit log keeps: the rules broken, which of them denied, and the exemptions used."""
    denied = sorted({violation.rule for violation in verdict.violations if violation.denies})
    warned = sorted({violation.rule for violation in verdict.violations if not violation.denies})
    used = sorted({exemption for violation in verdict.violations if (exemption := verdict.exemption_of(violation))})
    found = {"refused": ",".join(denied), "warned": ",".join(warned), "exempted": "; ".join(used)}
    return {key: value for key, value in found.items() if value}
