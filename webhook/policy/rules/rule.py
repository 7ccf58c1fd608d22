"""What a rule consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from webhook.policy.case import Case

Action = Literal["deny", "warn", "off"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where a rule is violated.

    ``what`` is wrong, in words that stand alone; ``why`` it matters; ``remedy``: what to do. None ends in a full stop.
    ``volume`` or ``device`` names the part of the VM, both are None for the whole VM; ``claim`` names the volume's
    PVC. ``reason`` is KubeVirt's where the rule has several; ``value`` is the field's where another value is another
    violation. A finding that is not ``certain``, because facts are missing, only warns.
    """

    field: str
    what: str
    why: str
    remedy: str
    volume: str | None = None
    claim: str | None = None
    device: str | None = None
    evidence: str | None = None
    reason: str | None = None
    value: str | None = None
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason why KubeVirt cannot migrate a VM, or a node drain would not.

    ``denies`` is a phrase for tables; ``source`` is what the rule follows; ``reads`` lists the paths below a VMI's spec
    that ``find`` reads: an update that changes none of them is not sent to us. ``reason`` is KubeVirt's, None where it
    has none. A VM that violates a rule that ``makes_unmigratable`` cannot migrate. A rule that is ``evaluated_last``
    sees whether the others left the VM ``unmigratable``.
    """

    name: str
    denies: str
    default: Action
    source: str
    find: Callable[[Case], Iterable[Finding]]
    reads: tuple[str, ...]
    reason: str | None = None
    makes_unmigratable: bool = True
    evaluated_last: bool = False
