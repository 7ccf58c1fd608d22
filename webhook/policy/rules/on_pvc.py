"""What the rules about PVCs share."""

from __future__ import annotations

from webhook.kubevirt.model import Volume
from webhook.policy.rules.rule import Finding
from webhook.storage.model import BLOCK_MODE, Claim, NoClaim
from webhook.wording import quoted


def on_pvc(volume: Volume, claim: Claim | NoClaim, what: str, why: str, remedy: str) -> Finding:
    """Return a finding about a volume's PVC; ``what`` continues "the PVC …"."""
    return Finding(
        field=volume.field,
        what=f"volume {quoted(volume.name)}: PVC {quoted(volume.claim or '')} {what}",
        why=why,
        remedy=remedy,
        volume=volume.name,
        claim=volume.claim,
        evidence=claim.evidence,
    )


def with_modes(claim: Claim) -> str:
    """Return the remedy for a PVC that two nodes cannot attach: other modes, or a class on NFS."""
    where = f"Set %s in {claim.declared_at}" if claim.declared_at else "Use another PVC, with %s"
    shared = "accessModes [ReadWriteMany]"
    nfs = f"{shared} and a storageClassName on ontap-nas"
    if claim.request.volume_mode == BLOCK_MODE:
        return where % f"{shared} and volumeMode Block"
    if not claim.is_filesystem_on_san:
        return where % shared
    return where % (nfs if claim.request.is_archive else f"{shared} and volumeMode Block, or {nfs}")
