"""What is wrong at present, told once."""

from __future__ import annotations

import logging

log = logging.getLogger("webhook.controller")


class Problems:
    """What is wrong by subject: logged when it begins, changes or is over, not each time it is met."""

    def __init__(self) -> None:
        """Nothing is wrong yet."""
        self._now: dict[str, str] = {}

    def report(self, subject: str, why: str | None) -> None:
        """Say what is wrong with a subject, None that nothing is."""
        before = self._now.get(subject)
        if why == before:
            return
        if why is None:
            del self._now[subject]
            log.info("%s: all is well again", subject)
        else:
            self._now = {**self._now, subject: why}
            log.warning("%s: %s", subject, why)

    def of(self, subject: str) -> str | None:
        """Return what is wrong with a subject, None where nothing is."""
        return self._now.get(subject)
