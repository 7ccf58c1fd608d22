"""smb-share: a disk on an SMB share."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule
from webhook.wording import quoted


def find(case: Case) -> Iterator[Finding]:
    """Yield the volumes whose PVC Trident serves over SMB, which Linux pods cannot mount."""
    for volume, claim in case.disks():
        if claim.backing.nas_type == "smb":
            yield Finding(
                field=volume.field,
                what=f"volume {quoted(volume.name)}: PVC {quoted(volume.claim or '')} is an SMB share",
                why="virt-launcher is a Linux pod and cannot mount it, so this VM does not even start",
                remedy="Use a PVC of a StorageClass with nasType nfs",
                volume=volume.name,
                claim=volume.claim,
                evidence=claim.evidence,
            )


RULE = Rule(
    name="smb-share",
    reason=None,
    denies="an SMB share as a disk",
    default="warn",
    source="Trident 26.06 documentation of nasType: SMB volumes mount in pods on Windows nodes only",
    find=find,
    reads=("volumes",),
    makes_unmigratable=False,
)
