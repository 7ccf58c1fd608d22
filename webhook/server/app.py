"""The Flask app: HTTP in, HTTP out."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any, Protocol

from flask import Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge

from webhook.admission import handler, review
from webhook.cluster import Cluster, Undecidable
from webhook.policy.verdict import Verdict
from webhook.server import logs
from webhook.server.metrics import Metrics
from webhook.settings import Settings
from webhook.wording import warning_lines

MOST_BYTES = 7 << 20
"""An AdmissionReview holds an object twice, and kube-apiserver accepts no request above 3 MiB."""
DEFAULT_SECONDS = 10.0
_MARGIN = 0.5
_DURATION = re.compile(r"(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")

log = logging.getLogger(__name__)

Handle = Callable[[review.Request, Cluster, Settings, float], tuple[review.Response, Verdict | None]]


class State(Protocol):
    """What the app serves from."""

    @property
    def cluster(self) -> Cluster:
        """The cluster's state."""

    def settings(self) -> Settings:
        """The settings in force."""

    def unready(self) -> dict[str, str]:
        """What keeps the webhook from answering, by name, each with the reason; empty when it can."""

    def ages(self) -> dict[str, float]:
        """The age of each cache in seconds, by resource."""

    def gauges(self) -> dict[str, float]:
        """Further gauges, by the names of their metrics."""


def make_app(state: State) -> Flask:
    """Return the app that answers from this state."""
    app = Flask("webhook")
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    metrics = Metrics(state.ages, state.gauges, lambda: state.settings().mode)

    @app.post("/validate")
    def validate() -> Response:
        return _answer(handler.validate, state, metrics)

    @app.post("/mutate")
    def mutate() -> Response:
        return _answer(handler.mutate, state, metrics)

    @app.get("/livez")
    def livez() -> Response:
        return _text(200, "ok")

    @app.get("/readyz")
    def readyz() -> Response:
        waiting = state.unready()
        return _text(503 if waiting else 200, "\n".join(f"{name}: {why}" for name, why in waiting.items()) or "ok")

    @app.get("/metrics")
    def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response:
        return _bad_call(error.code or 500, error.description or error.name)

    return app


def _answer(handle: Handle, state: State, metrics: Metrics) -> Response:
    began = time.perf_counter()
    asked: review.Request | None = None
    settings = state.settings()
    try:
        asked = review.parse(_body())
        response, verdict = handle(asked, state.cluster, settings, _seconds(request.args.get("timeout")))
        if verdict is not None and request.path == "/validate":
            metrics.evaluated(verdict)
        if verdict is not None and response.outcome == "denied":
            logs.denied(asked, verdict)
        answer, result = _json(response.http_status, response.body), response.outcome
    except review.WebhookError as error:
        answer, result = _bad_call(400, str(error)), "bad_request"
    except Undecidable as error:
        log.warning("no decision: %s", error, extra={"fields": logs.fields_of(asked)})
        answer, result = _undecided(asked, str(error), settings), "errored"
    except Exception:
        log.exception("no decision: unexpected error", extra={"fields": logs.fields_of(asked)})
        reason = "unexpected error in the migratability webhook, see its log"
        answer, result = _undecided(asked, reason, settings), "errored"
    metrics.answered(request.path, asked, result, time.perf_counter() - began)
    return answer


def _body() -> bytes:
    if request.mimetype != "application/json":
        raise review.WebhookError(f"Content-Type must be application/json, not {request.mimetype or 'absent'}")
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise review.WebhookError(f"the body is larger than {MOST_BYTES >> 20} MiB") from None
    except (ClientDisconnected, OSError) as error:
        raise review.WebhookError(f"the body is incomplete: {error}") from error


def _seconds(timeout: str | None) -> float:
    """The time to answer in, from the API server's ``?timeout=10s``, less what the answer needs on the network."""
    found = _DURATION.fullmatch(timeout or "")
    minutes, seconds, milliseconds = (float(part or 0) for part in found.groups()) if found else (0.0, 0.0, 0.0)
    total = minutes * 60 + seconds + milliseconds / 1000 or DEFAULT_SECONDS
    return max(total - _MARGIN, total / 2)


def _undecided(asked: review.Request | None, reason: str, settings: Settings) -> Response:
    """Leave the decision to the failurePolicy only in mode deny: the other modes never deny."""
    if asked and settings.mode != "deny":
        response = review.allowed(asked, warning_lines([f"not evaluated: {reason}"]))
    else:
        response = review.errored(asked.uid if asked else "", f"cannot decide: {reason}")
    return _json(response.http_status, response.body)


def _bad_call(code: int, message: str) -> Response:
    status = {"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "message": message}
    return _json(code, {**status, "reason": "BadRequest"} if code == 400 else status)


def _json(code: int, body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), status=code, content_type="application/json")


def _text(code: int, body: str) -> Response:
    return Response(body + "\n", status=code, content_type="text/plain; charset=utf-8")
