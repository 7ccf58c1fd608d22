"""smb-share: a disk on an SMB share."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.on_pvc import on_pvc
from webhook.policy.rules.rule import Finding, Rule


def find(case: Case) -> Iterator[Finding]:
    """Yield the volumes whose PVC Trident serves over SMB, which Linux pods cannot mount."""
    for volume, claim in case.disks():
        if claim.backing.nas_type == "smb":
            yield on_pvc(
                volume,
                claim,
                what="is an SMB share",
                why="virt-launcher is a Linux pod and cannot mount it, so this VM cannot start",
                remedy="Use a PVC of a StorageClass with nasType nfs",
            )


RULE = Rule(
    name="smb-share",
    denies="an SMB share as a disk",
    default="warn",
    source="Trident 26.06 documentation of nasType: SMB volumes mount in pods on Windows nodes only",
    find=find,
    reads=("volumes",),
    makes_unmigratable=False,
)
