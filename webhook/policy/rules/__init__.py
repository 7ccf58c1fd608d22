"""The rules, one file each: a module here with a ``RULE`` is a rule, and appears in every table and setting."""

from __future__ import annotations

import importlib
import pkgutil

from webhook.policy.rules.rule import Action, Finding, Rule

__all__ = ["RULES", "Action", "Finding", "Rule"]


_modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
RULES: tuple[Rule, ...] = tuple(
    sorted((module.RULE for module in _modules if hasattr(module, "RULE")), key=lambda rule: rule.name)
)
"""All rules, by name."""
