"""Verdicts: pure functions from a machine, its claims and facts about the cluster."""

from webhook.policy.case import Case, Surroundings
from webhook.policy.exemptions import Bearer, exempted
from webhook.policy.judge import judge, judge_start
from webhook.policy.unverified import unverified
from webhook.policy.verdict import Verdict, Violation

__all__ = [
    "Bearer",
    "Case",
    "Surroundings",
    "Verdict",
    "Violation",
    "exempted",
    "judge",
    "judge_start",
    "unverified",
]
