"""The verdict: every violation of a VM, and whether it is admitted."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from webhook.policy.case import Case
from webhook.wording import warning, warning_lines

_MOST_WARNINGS = 16


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that is violated at a field path.

    ``reason`` is KubeVirt's, None where it has none; ``volume`` is None for the whole VM. ``preexisting``: the object
    had it before this request. ``exempt``: a label waives it. ``evidence``: the facts on which it rests.
    """

    rule: str
    reason: str | None
    volume: str | None
    field: str
    message: str
    remedy: str
    action: Literal["deny", "warn"]
    preexisting: bool
    exempt: bool
    evidence: str | None
    what: str

    @property
    def denies(self) -> bool:
        """Whether the VM is denied for this violation."""
        return self.action == "deny" and not self.preexisting and not self.exempt

    @property
    def cause(self) -> str:
        """One line that stands alone: what is wrong, why it matters, what to do, the rule."""
        return f"{self.message}. {self.remedy}. [{self.rule}]"

    @property
    def warning(self) -> str:
        """The warning for the client where the violation does not deny the VM."""
        suffix = " (exempt)" if self.exempt else " (pre-existing)" if self.preexisting else ""
        return warning(self.what + suffix, self.rule)

    def to_dict(self) -> dict[str, Any]:
        """Return the violation as JSON."""
        return {key: value for key, value in dataclasses.asdict(self).items() if key != "what"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """All violations of a VM, in the order of its volumes.

    ``remarks`` are warnings that belong to no violation, about what was not found, say; ``eviction_warnings`` concern
    our patch. ``eviction_patch`` and ``annotation_patch`` are JSON Patch operations that set the eviction strategy and
    the unverified annotation; ``missing_names`` are missing from that annotation; ``case`` is what was evaluated.
    """

    kind: str
    namespace: str
    name: str
    violations: list[Violation] = dataclasses.field(default_factory=list)
    remarks: list[str] = dataclasses.field(default_factory=list)
    eviction_warnings: list[str] = dataclasses.field(default_factory=list)
    eviction_patch: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    annotation_patch: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    missing_names: list[str] = dataclasses.field(default_factory=list)
    case: Case | None = None

    @property
    def allowed(self) -> bool:
        """Whether the VM is admitted."""
        return not any(violation.denies for violation in self.violations)

    @property
    def patch(self) -> list[dict[str, Any]]:
        """Our patch, as JSON Patch operations."""
        return [*self.eviction_patch, *self.annotation_patch]

    @property
    def warnings(self) -> list[str]:
        """The warnings for the client: the violations that do not deny the VM, then the rest."""
        found = [violation.warning for violation in self.violations if not violation.denies]
        if len(found) > _MOST_WARNINGS:
            found[_MOST_WARNINGS:] = [f"and {len(found) - _MOST_WARNINGS} more violations of this VM"]
        return warning_lines((*dict.fromkeys(found), *self.remarks, *self.eviction_warnings))

    def exemption_of(self, violation: Violation) -> str | None:
        """Return the exemption from a violation, with last day and reason; None where there is none."""
        exemption = self.case.exempted.of(violation.rule) if self.case and violation.exempt else None
        return str(exemption) if exemption else None

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as ``check -o json`` prints it."""
        return {
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "allowed": self.allowed,
            "violations": [violation.to_dict() for violation in self.violations],
            "warnings": self.warnings,
            "patch": self.patch,
        }
