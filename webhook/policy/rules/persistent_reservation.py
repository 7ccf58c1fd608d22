"""persistent-reservation: a SCSI reservation, which is bound to its initiator."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule
from webhook.wording import quoted

MOVES_SINCE = (1, 9)


def find(case: Case) -> Iterator[Finding]:
    """Yield the LUNs with a reservation, on a KubeVirt that cannot move them."""
    if case.context.version >= MOVES_SINCE:
        return
    for disk in case.vm.hardware.reservations:
        yield Finding(
            field=disk.field,
            what=f"disk {quoted(disk.name)} is a LUN with a persistent reservation",
            why="KubeVirt before 1.9 does not live-migrate a VM with one",
            remedy="Remove reservation: true from the disk, or upgrade KubeVirt to 1.9",
            device=disk.name,
        )


RULE = Rule(
    name="persistent-reservation",
    reason="PersistentReservationNotLiveMigratable",
    denies="a LUN with reservation: true, before KubeVirt 1.9",
    default="deny",
    source="KubeVirt 1.8 pkg/virt-handler/vm.go calculateLiveMigrationCondition",
    find=find,
    reads=("domain.devices.disks",),
)
