"""Verdicts: pure functions from a machine, its claims and facts about the cluster."""

from webhook.policy.case import Case, Surroundings
from webhook.policy.judge import judge
from webhook.policy.verdict import Verdict, Violation

__all__ = ["Case", "Surroundings", "Verdict", "Violation", "judge"]
