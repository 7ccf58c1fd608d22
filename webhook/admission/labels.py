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
class GuardedLabel:
    """One of our labels, or the annotation with the reason, and the metadata field that holds it."""

    field: str
    key: str
    value: str

    @property
    def why_without_effect(self) -> str | None:
        """Why the label does nothing, None where it names a rule or a mode."""
        if self.key == ENFORCEMENT and self.value not in MODES:
            return f"the value must be one of {listed(reversed(MODES))}"
        rule = self.key.removeprefix(EXEMPT)
        if self.key.startswith(EXEMPT) and rule in ("exemption", "restore-patches"):
            return "no label exempts from this rule"
        if self.key.startswith(EXEMPT) and rule != ALL and rule not in {known.name for known in RULES}:
            return "there is no such rule"
        return None


def changed_labels(obj: Object | None, old: Object | None) -> tuple[GuardedLabel, ...]:
    """Return the labels that need the right: those that are new or differ, and an enforcement mode that is removed."""
    now, before = ({(label.field, label.key): label for label in guarded_labels(found)} for found in (obj, old))
    added = [label for place, label in now.items() if before.get(place) != label]
    removed = [label for place, label in before.items() if place not in now and label.key == ENFORCEMENT]
    return (*added, *removed)


def guarded_labels(obj: Object | None) -> Iterator[GuardedLabel]:
    """Yield our labels, and the reasons beside them, that an object and its templates carry."""
    for path in METADATA_PATHS:
        metadata, field = mapping(at(obj, *path)), ".".join(path)
        for key, value in string_map(metadata.get("labels")).items():
            if is_ours(key):
                yield GuardedLabel(f"{field}.labels", key, value)
        reason = string_map(metadata.get("annotations")).get(REASON)
        if reason is not None:
            yield GuardedLabel(f"{field}.annotations", REASON, reason)
