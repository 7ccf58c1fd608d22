"""The AdmissionReview: what a request must hold, and the four answers there are.

Source: Kubernetes 1.36 ``admission.k8s.io/v1``.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from webhook.objects import Object, mapping, text

API_VERSION = "admission.k8s.io/v1"


class WebhookError(ValueError):
    """A bad call: what came is no AdmissionReview that we can answer. The message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Request:
    """An admission request. ``obj`` is None on a DELETE, ``old`` None on a CREATE.

    On a ``dry_run`` the API server stores nothing, and the webhook must change nothing.
    """

    uid: str
    group: str
    resource: str
    subresource: str
    operation: str
    namespace: str
    name: str
    user: str
    user_info: Object
    obj: dict[str, Any] | None
    old: dict[str, Any] | None
    dry_run: bool = False


def parse(body: bytes) -> Request:
    """Return the request of an AdmissionReview; raises WebhookError where the body holds none."""
    if not body.strip():
        raise WebhookError("the body is empty; an AdmissionReview is expected")
    try:
        review = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WebhookError(f"the body is not JSON: {error}") from error
    return parse_review(review)


def parse_review(review: object) -> Request:
    """Return the request of an AdmissionReview as parsed JSON; raises WebhookError where it is none."""
    if not isinstance(review, dict) or review.get("kind") != "AdmissionReview":
        raise WebhookError("this is not an AdmissionReview")
    if review.get("apiVersion") != API_VERSION:
        raise WebhookError(f"the AdmissionReview is not of {API_VERSION}")
    request = review.get("request")
    if not isinstance(request, dict):
        raise WebhookError("the AdmissionReview has no request")
    return _request(request)


def _request(request: dict[str, Any]) -> Request:
    resource, user = mapping(request.get("resource")), mapping(request.get("userInfo"))
    parsed = Request(
        uid=text(request.get("uid")) or "",
        group=text(resource.get("group")) or "",
        resource=text(resource.get("resource")) or "",
        subresource=text(request.get("subResource")) or "",
        operation=text(request.get("operation")) or "",
        namespace=text(request.get("namespace")) or "",
        name=text(request.get("name")) or "",
        user=text(user.get("username")) or "",
        user_info=user,
        obj=_object(request, "object"),
        old=_object(request, "oldObject"),
        dry_run=request.get("dryRun") is True,
    )
    for field, value in (("uid", parsed.uid), ("operation", parsed.operation), ("resource", parsed.resource)):
        if not value:
            raise WebhookError(f"the AdmissionReview's request has no {field}")
    missing = {"CREATE": parsed.obj is None, "UPDATE": parsed.obj is None or parsed.old is None}
    if missing.get(parsed.operation):
        raise WebhookError(f"the AdmissionReview's request is a {parsed.operation} without its objects")
    return parsed


def _object(request: dict[str, Any], key: str) -> dict[str, Any] | None:
    value = request.get(key)
    if value is not None and not isinstance(value, dict):
        raise WebhookError(f"the AdmissionReview's {key} is not an object")
    return value


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: the HTTP status and the AdmissionReview to send; ``outcome`` is its name in the metrics."""

    outcome: str
    http_status: int
    body: dict[str, Any]


def allowed(request: Request, warnings: list[str], annotations: dict[str, str] | None = None) -> Response:
    """Admit the request as it is."""
    return _response("allowed", request, {"allowed": True}, warnings, annotations)


def patched(request: Request, operations: list[dict[str, Any]], warnings: list[str]) -> Response:
    """Admit the request with JSON Patch operations."""
    patch = base64.b64encode(json.dumps(operations).encode()).decode()
    return _response("patched", request, {"allowed": True, "patchType": "JSONPatch", "patch": patch}, warnings)


def denied(request: Request, status: Object, warnings: list[str], annotations: dict[str, str]) -> Response:
    """Deny the request; ``status`` is a Status as kubectl and virtctl show it."""
    return _response("denied", request, {"allowed": False, "status": status}, warnings, annotations)


def errored(uid: str, message: str) -> Response:
    """Decide nothing, so that the failurePolicy decides."""
    status = {"code": 500, "reason": "InternalError", "message": message}
    return Response("errored", 500, _review({"uid": uid, "allowed": False, "status": status}))


def _response(
    outcome: str,
    request: Request,
    answer: dict[str, Any],
    warnings: list[str],
    annotations: dict[str, str] | None = None,
) -> Response:
    said = {"warnings": warnings, "auditAnnotations": annotations}
    return Response(
        outcome, 200, _review({"uid": request.uid, **answer, **{key: value for key, value in said.items() if value}})
    )


def _review(response: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": "AdmissionReview", "response": response}
