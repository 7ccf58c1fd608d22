"""A recording: writes in their order, and what is due of them."""

from dataclasses import dataclass

from tests.build import Object

Denial = tuple[str, str, str, str, str]
"""What the user did, the resource that was written, the last name of who wrote it, the PVC, the rule."""


@dataclass(frozen=True)
class Write:
    """One write, as the API server admitted it."""

    step: str
    """What the user did."""
    user: str
    groups: tuple[str, ...]
    operation: str
    group: str
    version: str
    resource: str
    subresource: str
    obj: Object | None
    """The object that was to be stored; None for a deletion."""
    old: Object | None
    """The object that the write found; None for a creation."""
    is_late: bool = False
    """Whether it was lost, because another write had changed the object meanwhile."""

    @property
    def shown(self) -> Object:
        """The object, or what was deleted."""
        return self.obj or self.old or {}

    @property
    def whole_resource(self) -> str:
        """The resource with its subresource."""
        return "/".join(filter(None, (self.resource, self.subresource)))

    @property
    def who(self) -> str:
        """The user's last name."""
        return self.user.rpartition(":")[2]


@dataclass(frozen=True)
class Recording:
    """Writes, the objects that they refer to, and what is due of them."""

    cluster: list[Object]
    writes: list[Write]
    denied: list[Denial]
    """Every denial that is due, in the order of the writes."""
    retried: str
    """The step in which KubeVirt creates a denied VMI again and again."""
