"""host-disk: an image file on one node."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule
from webhook.wording import quoted


def find(case: Case) -> Iterator[Finding]:
    """Yield the hostDisk volumes that are not declared as shared by all nodes."""
    for volume in case.vm.volumes:
        if volume.source == "hostDisk" and volume.body.get("shared") is not True:
            yield Finding(
                field=volume.field,
                what=f"volume {quoted(volume.name)} is a hostDisk that is not shared",
                why="its image is on one node, so this VM cannot live-migrate",
                remedy="Put the disk on a PVC with accessModes [ReadWriteMany], or set shared: true "
                "where every node sees the same file",
                volume=volume.name,
            )


RULE = Rule(
    name="host-disk",
    reason="DisksNotLiveMigratable",
    denies="a hostDisk that is not shared",
    default="deny",
    source="KubeVirt 1.9 pkg/virt-handler/vm.go checkVolumesForMigration",
    find=find,
    reads=("volumes",),
)
