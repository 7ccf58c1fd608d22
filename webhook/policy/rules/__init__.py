"""The rules, one file each: a module here with a ``RULE`` is a rule, and every table and setting knows it."""

from __future__ import annotations

import importlib
import pkgutil

from webhook.policy.rules.rule import Action, Finding, Rule

__all__ = ["RULES", "Action", "Finding", "Rule"]


def _discovered() -> tuple[Rule, ...]:
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return tuple(sorted((module.RULE for module in modules if hasattr(module, "RULE")), key=lambda rule: rule.name))


RULES: tuple[Rule, ...] = _discovered()
"""All rules, by name."""
