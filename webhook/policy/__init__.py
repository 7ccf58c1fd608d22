"""Verdicts: pure functions from a VM, its PVCs and facts about the cluster."""
