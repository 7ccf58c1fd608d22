"""What to do about a claim that two nodes cannot attach."""

from __future__ import annotations

from webhook.claims import Claim


def with_modes(claim: Claim) -> str:
    """Return how to get a claim that two nodes can attach: its modes, or a class on NFS where Block is no choice."""
    where = f"Set %s in {claim.declared_at}" if claim.declared_at else "Use another claim, with %s"
    if not claim.is_filesystem_on_san:
        return where % "accessModes [ReadWriteMany]"
    if claim.request.is_archive:
        return where % "accessModes [ReadWriteMany] and a storageClassName on ontap-nas"
    return where % "accessModes [ReadWriteMany] and volumeMode Block, or a storageClassName on ontap-nas"
