"""hyperv-passthrough: every Hyper-V feature that the node happens to have."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule


def find(case: Case) -> Iterator[Finding]:
    """Yield hypervPassthrough unless it is off; without ``enabled`` virt-handler fails, which is no better."""
    passthrough = case.vm.hardware.hyperv_passthrough
    if passthrough is not None:
        yield Finding(
            field=passthrough.field,
            what="hypervPassthrough is on",
            why="the guest depends on what its host offers, so this VM cannot live-migrate",
            remedy="Remove it, and name the Hyper-V features that the guest needs under features.hyperv",
        )


RULE = Rule(
    name="hyperv-passthrough",
    reason="HypervPassthroughNotLiveMigratable",
    denies="hypervPassthrough",
    default="deny",
    source="KubeVirt 1.9 pkg/virt-handler/vm.go calculateLiveMigrationCondition",
    find=find,
    reads=("domain.features.hypervPassthrough",),
)
