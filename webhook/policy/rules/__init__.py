"""The rules, one file each: a module here with a ``RULE`` is a rule, and appears in every table and setting."""

from __future__ import annotations

import importlib
import pkgutil

from webhook.policy.rules.rule import Action, Finding, Rule
from webhook.settings import Settings
from webhook.wording import plain

__all__ = ["RULES", "Action", "Finding", "Rule", "unknown_rules"]


_modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
RULES: tuple[Rule, ...] = tuple(
    sorted((module.RULE for module in _modules if hasattr(module, "RULE")), key=lambda rule: rule.name)
)
"""All rules, by name."""


def unknown_rules(settings: Settings) -> list[str]:
    """Return a remark on each name under ``rules`` in the settings that is no rule of this version."""
    known = [rule.name for rule in RULES]
    return [
        f"rules.{plain(name)}: this version has no such rule; it has {', '.join(known)}"
        for name in sorted(set(settings.rules) - set(known))
    ]
