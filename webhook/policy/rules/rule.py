"""What every rule is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from webhook.policy.case import Case

Action = Literal["deny", "warn", "off"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where a rule is broken.

    ``what`` is wrong, in words that stand alone; ``why`` it matters; ``remedy`` what to do: sentences without a final
    stop. ``volume`` or ``device`` names what is meant, both are None for the whole VM; ``claim`` is the volume's
    PVC. ``reason`` is KubeVirt's where the rule has several; ``value`` what stands at the field where another value
    would be another violation. What is not ``certain``, for want of facts, warns.
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
    """One reason why a VM cannot migrate, or would not.

    ``reason`` is KubeVirt's own for it, None where KubeVirt has none; ``denies`` a few words for tables; ``source``
    what the rule follows; ``find`` the predicate; ``reads`` the paths below a VMI's spec on which it rests: an
    update that changes none is not sent to us. ``makes_unmigratable`` says that a VM that breaks the rule cannot
    migrate. A rule that is ``evaluated_last`` sees whether the others left the VM ``unmigratable``.
    """

    name: str
    reason: str | None
    denies: str
    default: Action
    source: str
    find: Callable[[Case], Iterable[Finding]]
    reads: tuple[str, ...]
    makes_unmigratable: bool = True
    evaluated_last: bool = False
