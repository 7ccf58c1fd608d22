"""One JSON object a line on stderr: who was denied what and why, never an object's content."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from webhook.admission.review import Request
from webhook.policy import Verdict

log = logging.getLogger("webhook.admission")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON; what is passed as ``extra={"fields": {…}}`` joins it."""

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


def denied(request: Request, verdict: Verdict) -> None:
    """Log a denial."""
    fields = {
        "uid": request.uid,
        "user": request.user,
        "operation": request.operation,
        "resource": "/".join(filter(None, (request.resource, request.subresource))),
        "namespace": request.namespace,
        "name": request.name or verdict.name,
        "rules": sorted({violation.rule for violation in verdict.violations if violation.denies}),
    }
    log.info("refused", extra={"fields": fields})
