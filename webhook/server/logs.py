"""One JSON object a line on stderr: who was denied what and why, never an object's content."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from webhook.admission.review import Request
from webhook.policy.verdict import Verdict

log = logging.getLogger("webhook.admission")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, with the entries of ``extra={"fields": {…}}``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logging() -> None:
    """Send every log record to stderr as one line of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def denied(request: Request, verdict: Verdict) -> None:
    """Log a denial."""
    rules = sorted({violation.rule for violation in verdict.violations if violation.denies})
    fields = fields_of(request) | {"name": request.name or verdict.name, "rules": rules}
    log.info("denied", extra={"fields": fields})


def fields_of(request: Request | None) -> dict[str, Any]:
    """Return what a line about a request says of it; nothing where the body held no request."""
    if request is None:
        return {}
    return {
        "uid": request.uid,
        "user": request.user,
        "operation": request.operation,
        "resource": "/".join(filter(None, (request.resource, request.subresource))),
        "namespace": request.namespace,
        "name": request.name,
    }
