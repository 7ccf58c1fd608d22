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
class Change:
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


def change_for(case: Case, old: VM | None, operation: str) -> Change:
    """Return what our patch does to the VM on this request; ``old`` is the VM before it.

    On an update, only a VirtualMachine whose template changes is patched.
    """
    vm, default = case.vm, case.context.kubevirt.eviction_strategy
    current = vm.eviction_strategy
    if case.eviction == "off" or vm.template is None or "External" in (current, current or default):
        return Change()
    if operation == "UPDATE" and (vm.kind != "VirtualMachine" or old is None or old.template == vm.template):
        return Change()
    if case.unmigratable:
        return _for_unmigratable(vm, default)
    if current == LIVE_MIGRATE or (case.eviction == "default" and current is not None):
        return Change()
    if current is None and len(case.context.schedulable) == 1:
        return Change(note="evictionStrategy stays unset: the cluster has one schedulable node, so nothing can migrate")
    if vm.has_instance and operation == "UPDATE":
        return Change(note="evictionStrategy cannot change while the VM runs; its next start sets LiveMigrate")
    was = f"changed from {quoted(current)}" if current else "set"
    return Change(LIVE_MIGRATE, f"evictionStrategy {was} to LiveMigrate, so that a node drain migrates the VM")


def change_without_patch(case: Case, operation: str) -> Change:
    """Return the warning about a VM that is created without a strategy because our patch is missing."""
    missed = change_for(case, None, operation).value == LIVE_MIGRATE and case.vm.eviction_strategy is None
    if operation != "CREATE" or not missed:
        return Change()
    later = "" if case.vm.kind == _INSTANCE else "; creating its VMI sets LiveMigrate"
    return Change(note=f"evictionStrategy is unset: the mutating webhook did not set it{later}")


def _for_unmigratable(vm: VM, default: str | None) -> Change:
    """A VM that cannot migrate never gets LiveMigrate: it would block every drain."""
    if vm.eviction_strategy == LIVE_MIGRATE:
        return Change(note="evictionStrategy LiveMigrate on a VM that cannot migrate blocks every node drain")
    if vm.kind == _INSTANCE and vm.eviction_strategy is None and default == LIVE_MIGRATE:
        return Change("LiveMigrateIfPossible", "evictionStrategy set to LiveMigrateIfPossible: the VM cannot migrate")
    return Change()
