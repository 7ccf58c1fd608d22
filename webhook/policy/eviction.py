"""The patch: evictionStrategy LiveMigrate, without which a node drain kills or waits instead of migrating.

Source: KubeVirt 1.9 ``pod-eviction-admitter.go`` for what each value does; the field is not live-updatable, so a
running VirtualMachine is never patched: changing it raises ``RestartRequired``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from webhook.kubevirt import VM
from webhook.policy.case import Case
from webhook.policy.rules.eviction_strategy import RULE
from webhook.wording import quoted, warning

LIVE_MIGRATE = "LiveMigrate"
_IF_POSSIBLE = "LiveMigrateIfPossible"
_INSTANCE = "VirtualMachineInstance"


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a VM's strategy: the value to set, None to leave it, and what the user is told."""

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
    """Return what our own patch does to the VM on this request, ``old`` being the object before it."""
    vm, default = case.vm, case.context.kubevirt.eviction_strategy
    current = vm.eviction_strategy
    if case.eviction == "off" or vm.template is None or "External" in (current, current or default):
        return Change()
    if operation == "UPDATE" and not _may_change(vm, old):
        return Change()
    if case.unmigratable:
        return _for_unmigratable(vm, default)
    if current == LIVE_MIGRATE or (case.eviction == "default" and current is not None):
        return Change()
    if current is None and len(case.context.schedulable) == 1:
        return _left("evictionStrategy stays unset: the cluster has one schedulable node, so nothing can migrate")
    if vm.has_instance and operation == "UPDATE":
        return _left("evictionStrategy cannot change while the VM runs; its next start sets LiveMigrate")
    was = f"changed from {quoted(current)}" if current else "set"
    return Change(LIVE_MIGRATE, _worded(f"evictionStrategy {was} to LiveMigrate, so that a node drain migrates it"))


def change_without_patch(case: Case, operation: str) -> Change:
    """Return what to tell of a created VM that came past our patch without a strategy; nothing is changed."""
    missed = change_for(case, None, operation).value == LIVE_MIGRATE and case.vm.eviction_strategy is None
    if operation != "CREATE" or not missed:
        return Change()
    later = "" if case.vm.kind == _INSTANCE else "; creating its VMI sets LiveMigrate"
    return _left(f"evictionStrategy is unset: the webhook's patch did not come{later}")


def _may_change(vm: VM, old: VM | None) -> bool:
    """An update brings the patch only to a VirtualMachine, with a change of its template."""
    return vm.kind == "VirtualMachine" and old is not None and old.template != vm.template


def _for_unmigratable(vm: VM, default: str | None) -> Change:
    """A VM that cannot migrate never gets LiveMigrate: it would block a drain for ever."""
    current = vm.eviction_strategy
    if current == LIVE_MIGRATE:
        return _left("evictionStrategy LiveMigrate on a VM that cannot migrate blocks every node drain")
    if vm.kind == _INSTANCE and current is None and default == LIVE_MIGRATE:
        return Change(_IF_POSSIBLE, _worded("evictionStrategy LiveMigrateIfPossible set: the VM cannot migrate"))
    return Change()


def _left(note: str) -> Change:
    return Change(note=_worded(note))


def _worded(note: str) -> str:
    return warning(note, RULE.name)
