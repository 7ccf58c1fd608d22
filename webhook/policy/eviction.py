"""The patch: evictionStrategy LiveMigrate, without which a node drain kills or waits instead of migrating.

Source: KubeVirt 1.9 ``pod-eviction-admitter.go`` for what each value does; the field is not live-updatable, so a
running VirtualMachine is never patched: changing it raises ``RestartRequired``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from webhook.machines import Machine
from webhook.policy.case import Case
from webhook.policy.rules.eviction_strategy import RULE
from webhook.wording import quoted, warning

LIVE_MIGRATE = "LiveMigrate"
_IF_POSSIBLE = "LiveMigrateIfPossible"


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a machine's strategy: the value to set, None to leave it, and what the user is told."""

    value: str | None
    note: str | None


def change_for(case: Case, old: Machine | None, operation: str) -> Change:
    """Return what our own patch does to the machine on this request, ``old`` being the object before it."""
    machine, default = case.machine, case.surroundings.kubevirt.eviction_strategy
    current = machine.eviction_strategy
    if case.eviction == "off" or machine.template is None or "External" in (current, current or default):
        return _leave()
    if case.stuck:
        return _for_stuck(machine, default)
    if current == LIVE_MIGRATE or (case.eviction == "default" and current is not None):
        return _leave()
    if operation == "UPDATE":
        return _for_update(machine, old)
    if current is None and len(case.surroundings.schedulable) == 1:
        return _leave("evictionStrategy stays unset: the cluster has one schedulable node, so nothing can migrate")
    return _set(current)


def note_on_final(case: Case, operation: str) -> str | None:
    """Return what to tell where a created machine came past our patch without a strategy."""
    unset = operation == "CREATE" and case.machine.eviction_strategy is None
    if unset and change_for(case, None, operation).value == LIVE_MIGRATE:
        return _worded("evictionStrategy is unset, our patch did not come; creating the instance sets LiveMigrate")
    return None


def patched(machine: Machine, change: Change) -> Machine:
    """Return the machine as it is after the change."""
    return replace(machine, eviction_strategy=change.value) if change.value else machine


def operations(machine: Machine, change: Change) -> list[dict[str, Any]]:
    """Return the JSON Patch operations of the change; ``add`` also replaces."""
    if change.value is None:
        return []
    return [{"op": "add", "path": "/" + "/".join((*machine.template_path, "evictionStrategy")), "value": change.value}]


def _for_stuck(machine: Machine, default: str | None) -> Change:
    """A machine that cannot migrate never gets LiveMigrate: it would block a drain for ever."""
    current = machine.eviction_strategy
    if current == LIVE_MIGRATE:
        return _leave("evictionStrategy LiveMigrate on a machine that cannot migrate blocks every node drain")
    if machine.kind == "VirtualMachineInstance" and current is None and default == LIVE_MIGRATE:
        return Change(_IF_POSSIBLE, _worded("evictionStrategy set to LiveMigrateIfPossible: it cannot migrate"))
    return _leave()


def _for_update(machine: Machine, old: Machine | None) -> Change:
    """A VirtualMachine gets it with a change of its template, while it has no instance."""
    if machine.kind != "VirtualMachine" or old is None or old.template == machine.template:
        return _leave()
    if machine.has_instance:
        return _leave("evictionStrategy cannot change while the machine runs; its next start sets LiveMigrate")
    return _set(machine.eviction_strategy)


def _set(current: str | None) -> Change:
    was = f"changed from {quoted(current)}" if current else "set"
    return Change(LIVE_MIGRATE, _worded(f"evictionStrategy {was} to LiveMigrate, so that a node drain migrates it"))


def _leave(note: str | None = None) -> Change:
    return Change(None, _worded(note) if note else None)


def _worded(note: str) -> str:
    return warning(note, RULE.name)
