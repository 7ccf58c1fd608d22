"""What to do about a PVC that two nodes cannot attach."""

from __future__ import annotations

from webhook.storage import Claim
from webhook.storage.model import BLOCK_MODE


def with_modes(claim: Claim) -> str:
    """Return how to get a PVC that two nodes can attach: its modes, or a class on NFS where Block is no choice."""
    where = f"Set %s in {claim.declared_at}" if claim.declared_at else "Use another PVC, with %s"
    shared = "accessModes [ReadWriteMany]"
    nfs = f"{shared} and a storageClassName on ontap-nas"
    if claim.request.volume_mode == BLOCK_MODE:
        return where % f"{shared} and volumeMode Block"
    if not claim.is_filesystem_on_san:
        return where % shared
    return where % (nfs if claim.request.is_archive else f"{shared} and volumeMode Block, or {nfs}")
