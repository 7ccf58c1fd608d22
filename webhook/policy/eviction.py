"""The patch: evictionStrategy LiveMigrate, without which a node drain stops the VM or waits for it.

Source: KubeVirt 1.9 ``pod-eviction-admitter.go`` for what each value does; the field is not live-updatable, so a
running VirtualMachine is never patched: changing it raises ``RestartRequired``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from webhook.kubevirt.model import VM
from webhook.policy.case import Case
from webhook.wording import quoted

LIVE_MIGRATE = "LiveMigrate"
_INSTANCE = "VirtualMachineInstance"


@dataclass(frozen=True, slots=True)
class StrategyChange:
    """A change of a VM's strategy: the value to set, None to leave it, and the warning for the user."""

    value: str | None = None
    note: str | None = None

    def applied_to(self, vm: VM) -> VM:
        """Return the VM as it is after the change."""
        return replace(vm, eviction_strategy=self.value) if self.value else vm

    def operations_on(self, vm: VM) -> list[dict[str, Any]]:
        """Return the JSON Patch operations of the change; ``add`` also replaces."""
        path = "/" + "/".join((*vm.template_path, "evictionStrategy"))
        return [{"op": "add", "path": path, "value": self.value}] if self.value else []


def change_for(case: Case, old: VM | None, operation: str) -> StrategyChange:
    """Return what our patch does to the VM; on an update from ``old`` only to a VirtualMachine with a new template."""
    vm, default = case.vm, case.context.kubevirt.eviction_strategy
    current = vm.eviction_strategy
    if case.eviction == "off" or vm.template is None or "External" in (current, current or default):
        return StrategyChange()
    if operation == "UPDATE" and (vm.kind != "VirtualMachine" or old is None or old.template == vm.template):
        return StrategyChange()
    if case.unmigratable:
        return _for_unmigratable(vm, default)
    if current == LIVE_MIGRATE or (case.eviction == "default" and current is not None):
        return StrategyChange()
    if current is None and len(case.context.schedulable) == 1:
        why = "the cluster has one schedulable node, so nothing can migrate"
        return StrategyChange(note=f"evictionStrategy stays unset: {why}")
    if vm.has_instance and operation == "UPDATE":
        return StrategyChange(note="evictionStrategy cannot change while the VM runs; its next start sets LiveMigrate")
    was = f"changed from {quoted(current)}" if current else "set"
    return StrategyChange(LIVE_MIGRATE, f"evictionStrategy {was} to LiveMigrate, so that a node drain migrates the VM")


def change_without_patch(case: Case, operation: str) -> StrategyChange:
    """Return the warning about a VM that is created without a strategy because our patch is missing."""
    missed = change_for(case, None, operation).value == LIVE_MIGRATE and case.vm.eviction_strategy is None
    if operation != "CREATE" or not missed:
        return StrategyChange()
    later = "" if case.vm.kind == _INSTANCE else "; creating its VMI sets LiveMigrate"
    return StrategyChange(note=f"evictionStrategy is unset: the mutating webhook did not set it{later}")


def _for_unmigratable(vm: VM, default: str | None) -> StrategyChange:
    """A VM that cannot migrate never gets LiveMigrate: it would block every drain."""
    if vm.eviction_strategy == LIVE_MIGRATE:
        return StrategyChange(note="evictionStrategy LiveMigrate on a VM that cannot migrate blocks every node drain")
    if vm.kind == _INSTANCE and vm.eviction_strategy is None and default == LIVE_MIGRATE:
        strategy = "LiveMigrateIfPossible"
        return StrategyChange(strategy, f"evictionStrategy set to {strategy}: the VM cannot migrate")
    return StrategyChange()
