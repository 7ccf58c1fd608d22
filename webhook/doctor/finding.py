"""What the doctor says: one line a finding."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer to one question: what was looked at, what was found, and what to do where that is not well."""

    status: Status
    about: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return it as a line, with the remedy on a second."""
        line = f"{self.status:7}  {self.about}: {self.what}"
        return f"{line}\n         {self.remedy}" if self.remedy else line


def is_well(findings: Iterable[Finding]) -> bool:
    """Say whether none of the findings is an error."""
    return all(finding.status != "error" for finding in findings)
