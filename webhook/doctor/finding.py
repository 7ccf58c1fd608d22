"""The doctor's answers: one line per finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer to one question: what it is about, what was found, and the remedy where there is a problem."""

    status: Status
    about: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return it as a line, with the remedy on a second."""
        line = f"{self.status:7}  {self.about}: {self.what}"
        return f"{line}\n         {self.remedy}" if self.remedy else line


def unavailable(about: str, error: Exception) -> list[Finding]:
    """Return the finding that the API server did not answer a question."""
    return [Finding("error", about, str(error), "Check whether the API server is healthy, and try again")]
