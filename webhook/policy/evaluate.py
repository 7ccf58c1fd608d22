"""VM + PVCs + cluster context → verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from msgspec import structs

from webhook.policy import eviction
from webhook.policy.case import Case
from webhook.policy.ratchet import Before
from webhook.policy.rules import RULES, Action, Finding, Rule, claim_known, eviction_strategy
from webhook.policy.unverified import concerns
from webhook.policy.verdict import Verdict, Violation
from webhook.settings import MODES, Settings
from webhook.storage.model import Claim
from webhook.wording import warning

Found = tuple[Rule, Finding]

_FIRST = tuple(rule for rule in RULES if not rule.evaluated_last)
_LAST = tuple(rule for rule in RULES if rule.evaluated_last)


def evaluate_case(
    case: Case, old: Case | None, settings: Settings, operation: str, *, final: bool, unverified: frozenset[str]
) -> Verdict:
    """Return the verdict on a VM.

    ``old`` is the VM before the request, with the facts of now: what it violates is pre-existing, except what was
    ``unverified``. With ``final`` the VM is evaluated as it stands, else as it is after our patch, which the verdict
    then holds.
    """
    vm, old_vm = case.vm, old.vm if old else None
    before = Before(_found(old, RULES) if old else (), vm, old_vm.former_claims if old_vm else (), unverified)
    found = _found(case, _FIRST)
    violations = _violations(found, before, case, settings)
    cannot_migrate = any(rule.makes_unmigratable and finding.certain for rule, finding in found)
    case = replace(case, unmigratable=cannot_migrate and not _denied(violations))
    change = eviction.change_without_patch(case, operation) if final else eviction.change_for(case, old_vm, operation)
    case = replace(case, vm=change.applied_to(vm))
    violations += _violations(_found(case, _LAST), before, case, settings)
    needs_exemption = any(violation.action == "deny" and not violation.exempt for violation in violations)
    notes = [warning(change.note, eviction_strategy.RULE.name)] if change.note else []
    return Verdict(
        vm.kind,
        vm.namespace,
        vm.name,
        violations=_in_order(violations, case),
        remarks=[*vm.not_evaluated, *(case.exempted.notes if needs_exemption else ())],
        eviction_warnings=[] if _denied(violations) else notes,
        eviction_patch=change.operations_on(vm),
        case=case,
    )


def evaluate_start(case: Case, names: frozenset[str], settings: Settings, inline: Case | None) -> Verdict:
    """Return the verdict on a VMI that starts, on the ``names`` in its unverified annotation alone.

    A PVC that is still missing is denied, unless claim-known is off. ``inline`` is the VirtualMachine without
    instancetype and preference: what it violates as a whole was evaluated before. An exemption does not count for a PVC
    that was created after it ended.
    """
    if settings.rules.get(claim_known.RULE.name) != "off":
        settings = structs.replace(settings, rules={**settings.rules, claim_known.RULE.name: "deny"})
    vm = case.vm
    of_whole = [(rule, finding) for rule, finding in _found(inline, _FIRST) if finding.volume is None] if inline else ()
    found = [(rule, finding) for rule, finding in _found(case, _FIRST) if concerns(names, finding)]
    violations = [
        replace(violation, exempt=violation.exempt and not _created_after_exemption(violation, case))
        for violation in _violations(found, Before(of_whole, vm), case, settings)
    ]
    return Verdict(vm.kind, vm.namespace, vm.name, violations=_in_order(violations, case), case=case)


def _created_after_exemption(violation: Violation, case: Case) -> bool:
    exemption = case.exempted.of(violation.rule)
    if exemption is None or exemption.until is None or violation.volume is None:
        return False
    names = {volume.claim for volume in case.vm.volumes if volume.name == violation.volume}
    claims = (case.claims.get(name or "") for name in names)
    created = [claim.made_on for claim in claims if isinstance(claim, Claim) and claim.made_on]
    return any(day > exemption.until.isoformat() for day in created)


def _found(case: Case, rules: Iterable[Rule]) -> list[Found]:
    return [(rule, finding) for rule in rules for finding in rule.find(case)]


def _denied(violations: Iterable[Violation]) -> bool:
    return any(violation.denies for violation in violations)


def _violations(found: Iterable[Found], before: Before, case: Case, settings: Settings) -> list[Violation]:
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
        for rule, finding in found
        if (action := _action(rule, finding, settings)) != "off"
    ]


def _action(rule: Rule, finding: Finding, settings: Settings) -> Action:
    """A rule's action, capped by the mode and by what is certain."""
    most: Action = "deny" if finding.certain else "warn"
    return min(settings.rules.get(rule.name, rule.default), settings.mode, most, key=MODES.index)


def _in_order(violations: list[Violation], case: Case) -> list[Violation]:
    """Violations in the order of the volumes; what concerns the whole VM comes last."""
    fields = {volume.field: index for index, volume in enumerate(case.vm.volumes)}
    return sorted(violations, key=lambda violation: fields.get(violation.field, len(fields)))
