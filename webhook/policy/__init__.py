"""Verdicts: pure functions from a machine, its claims and facts about the cluster."""

from webhook.policy.case import Case, Surroundings
from webhook.policy.evaluate import evaluate_case, evaluate_start
from webhook.policy.exemptions import Bearer, exempted
from webhook.policy.unverified import unverified
from webhook.policy.verdict import Verdict, Violation

__all__ = [
    "Bearer",
    "Case",
    "Surroundings",
    "Verdict",
    "Violation",
    "evaluate_case",
    "evaluate_start",
    "exempted",
    "unverified",
]
