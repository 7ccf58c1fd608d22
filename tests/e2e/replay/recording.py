"""What users did with KubeVirt, as writes to an API server, recorded by a webhook that allowed everything."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.admission.test_traffic_paths import asked
from tests.build import Object
from webhook.objects import at


@dataclass(frozen=True)
class Write:
    """One write, as the API server admitted it."""

    step: str
    """What the user did."""
    user: str
    groups: tuple[str, ...]
    operation: str
    resource: str
    subresource: str
    obj: Object | None
    """The object that was to be stored; None for a deletion."""
    old: Object | None
    """The object that the write found; None for a creation."""
    is_late: bool
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


def writes() -> Iterator[Write]:
    """Yield the recorded writes; skips without them.

    The recording holds a write as the mutating and as the validating side were asked about it; a write that was lost
    to another one was asked about on the mutating side alone, or there once more.
    """
    reviews = asked()
    validated = [_content(recorded) for recorded in reviews if recorded["webhook"] == "validating"]
    for recorded in reviews:
        request = recorded["review"]["request"]
        obj, old = request.get("object"), request.get("oldObject")
        is_late = bool(obj and old) and at(obj, "metadata", "resourceVersion") != at(old, "metadata", "resourceVersion")
        if recorded["webhook"] == "mutating" and (not is_late or _content(recorded) in validated):
            continue
        user, groups = request["userInfo"]["username"], tuple(request["userInfo"]["groups"])
        what = (request["operation"], request["resource"]["resource"], request.get("subResource", ""))
        yield Write(recorded["step"], user, groups, *what, obj, old, is_late)


def _content(recorded: Object) -> Object:
    """What somebody wrote, the same however often and wherever the API server asks about it."""
    request = recorded["review"]["request"]
    obj = request.get("object") or {"metadata": {}}
    metadata = {key: value for key, value in obj["metadata"].items() if key not in ("managedFields", "generation")}
    what = ("operation", "resource", "subResource", "userInfo")
    return {**{key: request.get(key) for key in what}, "object": {**obj, "metadata": metadata}}
