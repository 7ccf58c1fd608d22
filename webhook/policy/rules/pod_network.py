"""pod-network: an address on the pod network that does not migrate with the VM."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.kubevirt.model import Interface
from webhook.policy.case import Case, ClusterContext
from webhook.policy.rules.rule import Finding, Rule
from webhook.wording import quoted

CORE_PASST = (1, 7)
"""Since this version passt is a core binding, and a pod network without its interface cannot migrate."""


def find(case: Case) -> Iterator[Finding]:
    """Yield the pod network where its interface has no binding that survives a migration.

    The default interface and the plugins come from the KubeVirt CR: without a CR a finding about them is not certain.
    """
    network = case.vm.hardware.pod_network
    if network is None:
        return
    interface = network.interface
    if interface is None:
        if case.context.version >= CORE_PASST:
            yield _finding(network.field, f"the pod network {quoted(network.name)} has no interface of the same name")
    elif not _moves(interface, case.context, case.vm.hardware.may_move_bridge):
        what = f"interface {quoted(network.name)} joins the pod network by {_shown(interface)}"
        named_by_cr = network.by_default or interface.binding == "binding"
        yield _finding(interface.field, what, certain=case.context.kubevirt.known or not named_by_cr)


def _moves(interface: Interface, context: ClusterContext, may_move_bridge: bool) -> bool:
    match interface.binding:
        case "masquerade":
            return True
        case "passtBinding":
            return context.version >= CORE_PASST
        case "bridge":
            return may_move_bridge
        case "binding":
            return interface.plugin in context.kubevirt.migratable_bindings
    return False


def _shown(interface: Interface) -> str:
    if interface.binding == "binding":
        return f"plugin {quoted(interface.plugin or '')}, which the KubeVirt CR does not call migratable"
    return interface.binding or "no binding"


def _finding(field: str, what: str, *, certain: bool = True) -> Finding:
    return Finding(
        field=field,
        what=what,
        why="its address would not survive a migration, so KubeVirt does not live-migrate this VM",
        remedy="Name the pod network under networks, and an interface for it with masquerade: {}",
        certain=certain,
    )


RULE = Rule(
    name="pod-network",
    reason="InterfaceNotLiveMigratable",
    denies="bridge, or a binding that cannot migrate, on the pod network",
    default="deny",
    source="KubeVirt 1.9 pkg/network/vmispec/interface.go VerifyVMIMigratable",
    find=find,
    reads=("domain.devices.autoattachPodInterface", "domain.devices.interfaces", "networks"),
)
