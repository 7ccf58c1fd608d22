"""Our labels on an object and its templates, and which of them a request changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from webhook.kubevirt.reader import METADATA_PATHS
from webhook.names import ENFORCEMENT, EXEMPT, REASON, is_ours
from webhook.objects import Object, at, mapping, string_map
from webhook.policy.exemptions import ALL
from webhook.policy.rules import RULES
from webhook.settings import MODES
from webhook.wording import listed


@dataclass(frozen=True, slots=True)
class Tag:
    """One of our labels, or the annotation with the reason, and where it stands."""

    field: str
    key: str
    value: str

    @property
    def why_without_effect(self) -> str | None:
        """Why the label does nothing, None where it names a rule or a mode."""
        if self.key == ENFORCEMENT and self.value not in MODES:
            return f"it is none of {listed(reversed(MODES))}"
        rule = self.key.removeprefix(EXEMPT)
        if self.key.startswith(EXEMPT) and rule != ALL and rule not in {known.name for known in RULES}:
            return "there is no such rule"
        return None


def tags_of(obj: Object | None) -> dict[str, Tag]:
    """Return our labels, and the reasons beside them, that an object and its templates carry, by place."""
    return {f"{tag.field}/{tag.key}": tag for tag in _tags(obj)}


def changed_tags(obj: Object | None, old: Object | None) -> tuple[Tag, ...]:
    """Return the tags that need the right: those that are new or differ, and an enforcement mode that is removed."""
    now, before = tags_of(obj), tags_of(old)
    added = [tag for place, tag in now.items() if place not in before or before[place].value != tag.value]
    removed = [tag for place, tag in before.items() if place not in now and tag.key == ENFORCEMENT]
    return (*added, *removed)


def _tags(obj: Object | None) -> Iterator[Tag]:
    for path in METADATA_PATHS:
        metadata, field = mapping(at(obj, *path)), ".".join(path)
        for key, value in string_map(metadata.get("labels")).items():
            if is_ours(key):
                yield Tag(f"{field}.labels", key, value)
        reason = string_map(metadata.get("annotations")).get(REASON)
        if reason is not None:
            yield Tag(f"{field}.annotations", REASON, reason)
