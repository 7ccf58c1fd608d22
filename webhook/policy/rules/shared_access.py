"""shared-access: a disk that only one node can attach for writing."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.on_pvc import on_pvc, with_modes
from webhook.policy.rules.rule import Finding, Rule
from webhook.wording import listed


def find(case: Case) -> Iterator[Finding]:
    """Yield the volumes whose PVC lacks ReadWriteMany, except those that are migrating to another PVC.

    The PVC's volume mode and class do not matter here.
    """
    for volume, claim in case.disks():
        modes = claim.request.access_modes
        if "ReadWriteMany" not in modes and volume.name not in case.vm.migrated_volumes:
            yield on_pvc(
                volume,
                claim,
                what=f"is {listed(modes)}, not ReadWriteMany" if modes else "has no access mode",
                why="two nodes cannot write to it at once, so this VM cannot live-migrate",
                remedy=with_modes(claim),
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
