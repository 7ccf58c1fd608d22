"""The present problems, each logged once."""

from __future__ import annotations

import logging

log = logging.getLogger("webhook.controller")


class Problems:
    """The present problem of each subject, logged when it begins, changes or is over."""

    def __init__(self) -> None:
        """Begin without problems."""
        self._now: dict[str, str] = {}

    def report(self, subject: str, why: str | None) -> None:
        """Set the problem of a subject; None where it has none."""
        before = self._now.get(subject)
        if why == before:
            return
        if why is None:
            del self._now[subject]
            log.info("%s: recovered", subject)
        else:
            self._now = {**self._now, subject: why}
            log.warning("%s: %s", subject, why)

    def of(self, subject: str) -> str | None:
        """Return the problem of a subject, or None."""
        return self._now.get(subject)
