"""Exemptions: labels that waive a rule, for a reason, until a day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from webhook.names import EXEMPT
from webhook.settings import Exemptions
from webhook.wording import plain, quoted, warning

ALL = "all"
_RULE = "exemption"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class ExemptionSource:
    """A VM or a namespace with its labels; ``what`` names it in messages."""

    what: str
    labels: Mapping[str, str]
    reason: str | None


@dataclass(frozen=True, slots=True)
class Exemption:
    """A rule that is waived, or "all"; ``until`` is the last day, None where there is none."""

    rule: str
    until: date | None
    reason: str | None

    def __str__(self) -> str:
        """Return the exemption as it stands in the audit log."""
        until = f" until {self.until}" if self.until else ""
        return f"{self.rule}{until}: {self.reason or 'no reason given'}"


@dataclass(frozen=True, slots=True)
class Exempted:
    """The exemptions in force, by rule, and a warning about each other one."""

    by_rule: Mapping[str, Exemption]
    notes: tuple[str, ...] = ()

    def of(self, rule: str) -> Exemption | None:
        """Return the exemption that waives a rule, None where none does."""
        return self.by_rule.get(rule) or self.by_rule.get(ALL)


NONE = Exempted({})


def exempted(
    sources: Iterable[ExemptionSource], settings: Exemptions, today: date, *, after_the_end: bool = False
) -> Exempted:
    """Return what the labels of a VM and its namespace waive on a day (UTC).

    The value of a label is "true" or the last day. A label waives nothing without the reason that the settings require,
    or for longer than they allow. With ``after_the_end`` an exemption that has ended counts too.
    """
    by_rule: dict[str, Exemption] = {}
    notes: list[str] = []
    for source in sources:
        for label, value in source.labels.items():
            if not label.startswith(EXEMPT):
                continue
            rule = label.removeprefix(EXEMPT)
            found = _read(rule, value, source, settings, today, after_the_end)
            if isinstance(found, Exemption):
                by_rule.setdefault(found.rule, found)
            else:
                notes.append(warning(f"exemption from {plain(rule)} on {source.what} {found}", _RULE))
    return Exempted(by_rule, tuple(notes))


def _read(
    rule: str, value: str, source: ExemptionSource, settings: Exemptions, today: date, after_the_end: bool
) -> Exemption | str:
    """The exemption, or why the label waives nothing."""
    if settings.require_reason and not source.reason:
        return "does not count: no annotation migratability.io/exempt-reason gives a reason"
    if value == "true":
        return Exemption(rule, None, source.reason)
    try:
        until = date.fromisoformat(value if _DAY.fullmatch(value) else "")
    except ValueError:
        return f'does not count: {quoted(value)} is neither "true" nor a day like 2026-12-31'
    if until < today and not after_the_end:
        return f"ended on {until}"
    if until > today + timedelta(days=settings.max_days):
        return f"does not count: {until} is more than {settings.max_days} days ahead"
    return Exemption(rule, until, source.reason)
