"""Request → response: the verdict put into the words of the admission API."""

from __future__ import annotations

import time
from typing import Any

from webhook.admission import probe, review
from webhook.admission.judge import judge_request, taken_away
from webhook.admission.review import Request, Response
from webhook.admission.scope import kind_of
from webhook.cluster import Cluster, Undecidable
from webhook.names import MARK
from webhook.policy import Verdict
from webhook.settings import Settings
from webhook.wording import listed

_MOST_CAUSES = 64
"""More than a person reads; an answer must stay small whatever an object holds."""


def validate(request: Request, cluster: Cluster, settings: Settings, seconds: float) -> tuple[Response, Verdict]:
    """Answer a validating request within so many seconds, and return the verdict behind the answer.

    Every refusal is confirmed by reading anew what it rests on: a cache may lag behind the user who just mended the
    claim. Raises `webhook.cluster.Undecidable`, also where the marks of the machine do not name all that they must: our
    patch did not come, or somebody took it away.
    """
    if probe.is_probe(request):
        return review.denied(request, probe.status(), [], {}), _nothing(request)
    deadline = time.monotonic() + seconds
    verdict = judge_request(request, cluster.within(seconds), settings, final=True)
    if not verdict.allowed or verdict.lacking:
        left = deadline - time.monotonic()
        verdict = judge_request(request, cluster.within(left, confirm=True), settings, final=True)
    if verdict.allowed and verdict.lacking:
        missing = listed(verdict.lacking)
        raise Undecidable(f"its annotation {MARK} lacks {missing}, which our patch puts there; try again")
    if verdict.allowed:
        return review.allowed(request, verdict.warnings, _annotations(verdict)), verdict
    status = _status(request, verdict)
    return review.denied(request, status, verdict.warnings, _annotations(verdict)), verdict


def mutate(request: Request, cluster: Cluster, settings: Settings, seconds: float) -> tuple[Response, Verdict]:
    """Answer a mutating request: with our patch where there is one. Raises `webhook.cluster.Undecidable`.

    A name that this request takes out of the annotation is put back only after live GETs: the leader, which clears it,
    may have seen a PVC that our own cache does not show yet.
    """
    deadline = time.monotonic() + seconds
    verdict = judge_request(request, cluster.within(seconds), settings, final=False)
    if taken_away(request, verdict.lacking):
        left = deadline - time.monotonic()
        verdict = judge_request(request, cluster.within(left, confirm=True), settings, final=False)
    if verdict.patch and not request.subresource:
        return review.patched(request, verdict.patch, verdict.notes), verdict
    return review.allowed(request, verdict.notes), verdict


def _nothing(request: Request) -> Verdict:
    return Verdict(request.resource, request.namespace, request.name)


def _status(request: Request, verdict: Verdict) -> dict[str, Any]:
    """kubectl shows the causes alone, virtctl the message alone, so both say all of it; of very many the first."""
    refusing = [violation for violation in verdict.violations if violation.refuses]
    more = len(refusing) - _MOST_CAUSES
    refusing = refusing[:_MOST_CAUSES]
    rest = f"; and {more} more reasons" if more > 0 else ""
    return {
        "code": 422,
        "reason": "Invalid",
        "message": "; ".join(f"{violation.field}: {violation.cause}" for violation in refusing) + rest,
        "details": {
            "group": request.group,
            "kind": kind_of(request),
            "name": request.name or verdict.name,
            "causes": [
                {"reason": "FieldValueInvalid", "message": violation.cause, "field": violation.field}
                for violation in refusing
            ],
        },
    }


def _annotations(verdict: Verdict) -> dict[str, str]:
    """What the API server's audit log keeps: the rules broken, which of them refused, and the exemptions used."""
    refused = sorted({violation.rule for violation in verdict.violations if violation.refuses})
    let_pass = sorted({violation.rule for violation in verdict.violations if not violation.refuses})
    used = sorted({exemption for violation in verdict.violations if (exemption := verdict.exemption_of(violation))})
    found = {"refused": ",".join(refused), "warned": ",".join(let_pass), "exempted": "; ".join(used)}
    return {key: value for key, value in found.items() if value}
