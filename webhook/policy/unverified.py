"""What of a VM its start must evaluate, by name: claim/NAME, instancetype/NAME, preference/NAME."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from webhook.kubevirt.model import VM
from webhook.objects import can_be_name
from webhook.policy.case import Case
from webhook.policy.rules import Finding
from webhook.policy.verdict import Violation
from webhook.storage.model import Claim


def unverified(case: Case, violations: Collection[Violation], before: frozenset[str], old: VM | None) -> frozenset[str]:
    """Return the names of what does not exist yet, and those of ``before`` that exist now but violate a rule.

    ``before`` are the names in the annotation of ``old``, the VM before this request. What ``old`` lacked without a
    name in its annotation gets none now; nor does a new PVC that is predicted to violate a rule and is admitted all the
    same: it was evaluated. A name that no object can have is left out: no VM starts with it.
    """
    found = {*_claims(case, violations, before, old), *_matchers(case.vm, violations, before)}
    return frozenset(name for name in found if can_be_name(name.partition("/")[2]))


def of_claim(name: str) -> str:
    """Return the name of a PVC in the unverified annotation."""
    return f"claim/{name}"


def concerns(names: frozenset[str], finding: Finding) -> bool:
    """Say whether a finding is about one of the names: about its PVC or, for the rest, about the whole VM."""
    if finding.claim is not None:
        return of_claim(finding.claim) in names
    return finding.volume is None and any(not name.startswith("claim/") for name in names)


def is_of(names: frozenset[str], finding: Finding) -> bool:
    """Say whether a finding is about the PVC, or the instancetype or preference at its field, of one of the names."""
    if finding.claim is not None:
        return of_claim(finding.claim) in names
    return any(_stands_at(name, finding.field) for name in names)


def _claims(case: Case, violations: Collection[Violation], before: frozenset[str], old: VM | None) -> Iterator[str]:
    denied = [violation for violation in violations if violation.action == "deny"]
    bad = {violation.volume for violation in denied if not violation.exempt}
    admitted = {violation.volume for violation in denied if violation.exempt or violation.preexisting}
    pending = {of_claim(name) for name in old.declared_claims} - before if old else set()
    for volume in case.vm.volumes:
        claim, name = case.claims.get(volume.claim or ""), of_claim(volume.claim or "")
        if not volume.attached or claim is None:
            continue
        if isinstance(claim, Claim) and not claim.is_predicted:
            due = name in before and volume.name in bad
        else:
            was_evaluated = isinstance(claim, Claim) and volume.name in admitted
            due = name in before or not (was_evaluated or name in pending)
        if due:
            yield name


def _matchers(vm: VM, violations: Collection[Violation], before: frozenset[str]) -> Iterator[str]:
    yield from vm.missing_matchers
    fields = [violation.field for violation in violations if violation.action == "deny" and not violation.exempt]
    yield from (name for name in vm.matchers & before if any(_stands_at(name, field) for field in fields))


def _stands_at(name: str, field: str) -> bool:
    return not name.startswith("claim/") and field.endswith(f".{name.partition('/')[0]}")
