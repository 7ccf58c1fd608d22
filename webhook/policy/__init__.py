"""Verdicts: pure functions from a VM, its PVCs and facts about the cluster."""

from webhook.policy.case import Case, ClusterContext
from webhook.policy.evaluate import evaluate_case, evaluate_start
from webhook.policy.exemptions import ExemptionSource, exempted
from webhook.policy.unverified import unverified
from webhook.policy.verdict import Verdict, Violation

__all__ = [
    "Case",
    "ClusterContext",
    "ExemptionSource",
    "Verdict",
    "Violation",
    "evaluate_case",
    "evaluate_start",
    "exempted",
    "unverified",
]
