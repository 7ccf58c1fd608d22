"""What an admission request changes, read once: the kind, the object before and after, and our labels."""

from __future__ import annotations

from dataclasses import dataclass

from webhook.admission.labels import GuardedLabel, changed_labels
from webhook.admission.review import Request
from webhook.admission.scope import as_named, is_evaluated, kind_of
from webhook.objects import Object
from webhook.policy.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Change:
    """A request that creates or changes an object of a kind that we evaluate.

    ``kind`` is a kind of VM, VirtualMachineRestore, VirtualMachineClone or Namespace. ``obj`` and ``old`` are the
    objects with the kind, namespace and name that the request gives them; ``old`` is None on a CREATE. ``labels`` are
    those of our labels whose change needs the right. ``is_evaluated``: see `webhook.admission.scope.is_evaluated`.
    """

    request: Request
    kind: str
    obj: Object
    old: Object | None
    labels: tuple[GuardedLabel, ...]
    is_evaluated: bool

    @property
    def is_vmi(self) -> bool:
        """Whether the object is a VirtualMachineInstance."""
        return self.kind == "VirtualMachineInstance"

    @property
    def nothing_found(self) -> Verdict:
        """The verdict without violations."""
        return Verdict(self.kind, self.request.namespace, self.request.name)


def read_change(request: Request) -> Change | None:
    """Return what a request changes, None where it neither creates nor updates such an object."""
    kind = kind_of(request)
    if not kind or request.obj is None or request.operation not in ("CREATE", "UPDATE"):
        return None
    old = as_named(request.old, request) if request.old else None
    labels = changed_labels(request.obj, request.old)
    return Change(request, kind, as_named(request.obj, request), old, labels, is_evaluated(request))
