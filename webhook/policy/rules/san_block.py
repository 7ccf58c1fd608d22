"""san-block: a filesystem on a SAN volume, which two nodes cannot mount at once."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule
from webhook.policy.rules.storage_remedy import with_modes
from webhook.wording import plain, quoted


def find(case: Case) -> Iterator[Finding]:
    """Yield the volumes whose PVC is in Filesystem mode on a backend that speaks a block protocol."""
    for volume, claim in case.disks():
        if claim.is_filesystem_on_san:
            yield Finding(
                field=volume.field,
                what=f"volume {quoted(volume.name)}: PVC {quoted(volume.claim or '')} is in Filesystem mode on "
                + (plain(claim.backing.driver) if claim.backing.driver else "a SAN backend"),
                why="two nodes can attach a SAN volume only in Block mode, so this VM cannot live-migrate",
                remedy=with_modes(claim),
                volume=volume.name,
                claim=volume.claim,
                evidence=claim.evidence,
            )


RULE = Rule(
    name="san-block",
    reason=None,
    denies="a Filesystem-mode PVC on a SAN backend (ontap-san, ontap-san-economy and their kin)",
    default="deny",
    source="Trident 26.06 core/common.go getProtocol; its requirements for KubeVirt: SAN in Block mode only",
    find=find,
    reads=("volumes",),
)
