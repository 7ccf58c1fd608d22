"""migration-ports: forwarded ports that a migration itself needs."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule
from webhook.wording import listed

RESERVED = frozenset({49152, 49153})


def find(case: Case) -> Iterator[Finding]:
    """Yield a masquerade port list that contains a port over which libvirt migrates."""
    network = case.vm.hardware.pod_network
    interface = network.interface if network else None
    if interface is None or interface.binding != "masquerade":
        return
    taken = sorted(RESERVED.intersection(interface.ports))
    if taken:
        yield Finding(
            field=f"{interface.field}.ports",
            what=f"the port list of the pod network interface contains {listed(str(port) for port in taken)}",
            why="libvirt migrates over 49152 and 49153, so a migration of this VM fails",
            remedy="Use other ports",
        )


RULE = Rule(
    name="migration-ports",
    denies="a masquerade port list with 49152 or 49153",
    default="warn",
    source="KubeVirt user guide, live migration, limitations",
    find=find,
    reads=("domain.devices.interfaces", "networks"),
    makes_unmigratable=False,
)
