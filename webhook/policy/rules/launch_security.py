"""launch-security: memory that only one host can decrypt."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule

SNP_AND_TDX = (1, 7)
SECURE_EXECUTION = (1, 6)
"""The KubeVirt versions that introduced these; earlier ones drop or ignore the field."""


def find(case: Case) -> Iterator[Finding]:
    """Yield AMD's SEV and SNP, Intel's TDX, and IBM's secure execution, which is any launch security on s390x."""
    hardware, version = case.vm.hardware, case.context.version
    if hardware.launch_security is None:
        return
    asked, field = hardware.launch_security.value, hardware.launch_security.field
    if isinstance(asked.get("sev"), dict):
        yield _finding(field, "SEV", "SEVNotLiveMigratable")
    elif version >= SNP_AND_TDX and isinstance(asked.get("snp"), dict):
        yield _finding(field, "SEV-SNP", "SEVNotLiveMigratable")
    if version >= SNP_AND_TDX and isinstance(asked.get("tdx"), dict):
        yield _finding(field, "TDX", "TDXNotLiveMigratable")
    if version >= SECURE_EXECUTION and hardware.architecture == "s390x":
        yield _finding(field, "secure execution", "SecureExecutionNotLiveMigratable")


def _finding(field: str, technique: str, reason: str) -> Finding:
    return Finding(
        field=field,
        what=f"launchSecurity requests {technique}",
        why="the guest's memory is bound to its host, so this VM cannot live-migrate",
        remedy="Remove launchSecurity, or use an instancetype or preference without it",
        reason=reason,
    )


RULE = Rule(
    name="launch-security",
    reason="SEVNotLiveMigratable, TDXNotLiveMigratable, SecureExecutionNotLiveMigratable",
    denies="SEV, SNP, TDX and secure execution",
    default="deny",
    source="KubeVirt 1.9 pkg/virt-handler/vm.go calculateLiveMigrationCondition, pkg/util IsSEVVMI",
    find=find,
    reads=("architecture", "domain.launchSecurity"),
)
