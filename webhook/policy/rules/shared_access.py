"""shared-access: a disk that only one node can attach for writing."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule
from webhook.policy.rules.storage_remedy import with_modes
from webhook.wording import listed, quoted


def find(case: Case) -> Iterator[Finding]:
    """Yield the volumes whose PVC lacks ReadWriteMany, but for those that are just being moved to another PVC.

    Neither the PVC's volume mode nor its class matter here.
    """
    for volume, claim in case.disks():
        modes = claim.request.access_modes
        if "ReadWriteMany" not in modes and volume.name not in case.vm.migrated_volumes:
            yield Finding(
                field=volume.field,
                what=f"volume {quoted(volume.name)}: PVC {quoted(volume.claim or '')} is "
                + (f"{listed(modes)}, not ReadWriteMany" if modes else "without an access mode"),
                why="two nodes cannot write to it at once, so this VM cannot live-migrate out of a node drain",
                remedy=with_modes(claim),
                volume=volume.name,
                claim=volume.claim,
                evidence=claim.evidence,
            )


RULE = Rule(
    name="shared-access",
    reason="DisksNotLiveMigratable",
    denies="a PVC without ReadWriteMany",
    default="deny",
    source="KubeVirt 1.9 pkg/virt-handler/vm.go checkVolumesForMigration, pkg/storage/types/pvc.go HasSharedAccessMode",
    find=find,
    reads=("volumes",),
)
