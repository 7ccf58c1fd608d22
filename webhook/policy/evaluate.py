"""VM + PVCs + cluster context → verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from msgspec import structs

from webhook.policy import eviction
from webhook.policy.case import Case
from webhook.policy.ratchet import Before
from webhook.policy.rules import RULES, Action, Finding, Rule, claim_known
from webhook.policy.unverified import concerns
from webhook.policy.verdict import Verdict, Violation
from webhook.settings import MODES, Settings
from webhook.storage import Claim

Found = tuple[Rule, Finding]

_FIRST = tuple(rule for rule in RULES if not rule.evaluated_last)
_LAST = tuple(rule for rule in RULES if rule.evaluated_last)


def evaluate_case(
    case: Case,
    old: Case | None,
    settings: Settings,
    operation: str,
    *,
    final: bool,
    unverified: frozenset[str] = frozenset(),
) -> Verdict:
    """Return the verdict on a VM.

    ``old`` is the case before the request, by the facts of now; what it violated is pre-existing, but for what of it was
    ``unverified``. With ``final`` the
    VM is evaluated as it stands, else as it is after our own patch, which the verdict then holds.
    """
    vm = case.vm
    known = _found(old, RULES) if old else ()
    before = Before(known, vm, old.vm.former_claims if old else (), unverified)
    found = _found(case, _FIRST)
    violations = _violations(found, before, case, settings)
    case = replace(case, unmigratable=_is_unmigratable(found, violations))
    if final:
        change = eviction.change_without_patch(case, operation)
    else:
        change = eviction.change_for(case, old.vm if old else None, operation)
    case = replace(case, vm=change.applied_to(vm))
    violations += _violations(_found(case, _LAST), before, case, settings)
    admitted = not _denied(violations)
    return Verdict(
        vm.kind,
        vm.namespace,
        vm.name,
        violations=_in_order(violations, case),
        remarks=[*vm.not_evaluated, *_expired(case, violations)],
        eviction_warnings=[change.note] if change.note and admitted else [],
        eviction_patch=change.operations_on(vm),
        case=case,
    )


def evaluate_start(case: Case, names: frozenset[str], settings: Settings, inline: Case | None) -> Verdict:
    """Return the verdict on a VMI that starts, on what its mark names alone.

    What is still not there cannot start, unless the rule about it is off. ``inline`` is its VirtualMachine without
    instancetype and preference: what that one violates as a whole was evaluated with it. An exemption that ended before a
    PVC was made does not count for it.
    """
    if settings.rules.get(claim_known.RULE.name) != "off":
        settings = structs.replace(settings, rules={**settings.rules, claim_known.RULE.name: "deny"})
    vm = case.vm
    of_whole = [(rule, finding) for rule, finding in _found(inline, _FIRST) if finding.volume is None] if inline else ()
    found = [(rule, finding) for rule, finding in _found(case, _FIRST) if concerns(names, finding)]
    violations = _in_order(_violations(found, Before(of_whole, vm), case, settings), case)
    violations = [replace(found, exempt=found.exempt and not _created_after(found, case)) for found in violations]
    return Verdict(vm.kind, vm.namespace, vm.name, violations=violations, case=case)


def _created_after(violation: Violation, case: Case) -> bool:
    """Whether a PVC was made after the last day of the exemption from what it violates."""
    exemption = case.exempted.of(violation.rule)
    if exemption is None or exemption.until is None or violation.volume is None:
        return False
    names = {volume.claim for volume in case.vm.volumes if volume.name == violation.volume}
    claims = (case.claims.get(name or "") for name in names)
    made = [claim.made_on for claim in claims if isinstance(claim, Claim) and claim.made_on]
    return any(day > exemption.until.isoformat() for day in made)


def _expired(case: Case, violations: Iterable[Violation]) -> list[str]:
    """What to tell of exemptions that do not count, where they would matter."""
    matters = any(violation.action == "deny" and not violation.exempt for violation in violations)
    return list(case.exempted.notes) if matters else []


def _found(case: Case, rules: Iterable[Rule]) -> list[Found]:
    return [(rule, finding) for rule in rules for finding in rule.find(case)]


def _is_unmigratable(found: Sequence[Found], violations: Sequence[Violation]) -> bool:
    """Whether a VM gets in although it cannot migrate, for certain; what a setting turned off counts too."""
    unmigratable = any(rule.makes_unmigratable and finding.certain for rule, finding in found)
    return unmigratable and not _denied(violations)


def _denied(violations: Iterable[Violation]) -> bool:
    return any(violation.denies for violation in violations)


def _violations(found: Iterable[Found], before: Before, case: Case, settings: Settings) -> list[Violation]:
    acted_on = ((rule, finding, _action(rule, finding, settings)) for rule, finding in found)
    return [
        Violation(
            rule=rule.name,
            reason=finding.reason or rule.reason,
            volume=finding.volume,
            field=finding.field,
            message=f"{finding.what}; {finding.why}",
            remedy=finding.remedy,
            action=action,
            preexisting=before.is_preexisting(rule, finding),
            exempt=case.exempted.of(rule.name) is not None,
            evidence=finding.evidence,
            what=finding.what,
        )
        for rule, finding, action in acted_on
        if action != "off"
    ]


def _action(rule: Rule, finding: Finding, settings: Settings) -> Literal["deny", "warn", "off"]:
    """A rule's action, capped by the mode and by what is certain."""
    most: Action = "deny" if finding.certain else "warn"
    return min(settings.rules.get(rule.name, rule.default), settings.mode, most, key=MODES.index)


def _in_order(violations: list[Violation], case: Case) -> list[Violation]:
    """Violations in the order of the volumes; what concerns the whole VM comes last."""
    fields = {volume.field: index for index, volume in enumerate(case.vm.volumes)}
    return sorted(violations, key=lambda violation: fields.get(violation.field, len(fields)))
