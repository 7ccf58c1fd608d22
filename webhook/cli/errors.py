"""What every command does with bad input."""

from __future__ import annotations

from pathlib import Path

from webhook.policy.rules import RULES
from webhook.settings import Settings, SettingsError
from webhook.wording import plain

BAD_INPUT = 2


class UsageError(Exception):
    """The command cannot do what it was asked; the message says what to correct."""


def settings_from(path: Path | None) -> tuple[Settings, list[str]]:
    """Return the settings of a file, or the initial ones, and what to remark on them; raises UsageError."""
    try:
        settings = Settings.load(path) if path else Settings()
    except SettingsError as error:
        raise UsageError(str(error)) from error
    known = frozenset(rule.name for rule in RULES)
    remarks = [
        f"{path}: rules.{plain(name)}: this version has no such rule; it has {', '.join(sorted(known))}"
        for name in settings.unknown_rules(known)
    ]
    return settings, remarks
