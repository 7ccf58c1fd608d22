"""san-block: a filesystem on a SAN volume, which two nodes cannot mount at once."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.on_pvc import on_pvc, with_modes
from webhook.policy.rules.rule import Finding, Rule
from webhook.wording import plain


def find(case: Case) -> Iterator[Finding]:
    """Yield the volumes whose PVC is in Filesystem mode on a backend that speaks a block protocol."""
    for volume, claim in case.disks():
        if claim.is_filesystem_on_san:
            backend = plain(claim.backing.driver) if claim.backing.driver else "a SAN backend"
            yield on_pvc(
                volume,
                claim,
                what=f"is in Filesystem mode on {backend}",
                why="two nodes can attach a SAN volume only in Block mode, so this VM cannot live-migrate",
                remedy=with_modes(claim),
            )


RULE = Rule(
    name="san-block",
    denies="a Filesystem-mode PVC on a SAN backend (ontap-san, ontap-san-economy and similar drivers)",
    default="deny",
    source="Trident 26.06 core/common.go getProtocol; its requirements for KubeVirt: SAN in Block mode only",
    find=find,
    reads=("volumes",),
)
