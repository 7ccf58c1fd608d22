"""Where a live object differs from a wanted one, as an API server stores and completes it."""

from typing import Any

import pytest

from webhook.controller.differences import differences, differs

WANTED: dict[str, Any] = {
    "metadata": {"name": "x", "labels": {"ours": "yes"}},
    "webhooks": [
        {
            "name": "a",
            "failurePolicy": "Fail",
            "namespaceSelector": {},
            "rules": [{"resources": ["pods"]}],
            "matchConditions": [{"name": "c", "expression": "true"}],
        },
        {"name": "b", "failurePolicy": "Ignore", "namespaceSelector": {}, "rules": [], "matchConditions": []},
    ],
}


def live(*path: str | int, **changes: Any) -> dict[str, Any]:
    """Return the wanted object with other fields at a path."""

    def changed(value: Any, rest: tuple[str | int, ...]) -> Any:
        if not rest:
            return {key: entry for key, entry in {**value, **changes}.items() if entry is not None}
        if isinstance(value, list):
            return [changed(entry, rest[1:]) if index == rest[0] else entry for index, entry in enumerate(value)]
        return {key: changed(entry, rest[1:]) if key == rest[0] else entry for key, entry in value.items()}

    found: dict[str, Any] = changed(WANTED, path)
    return found


A, B = WANTED["webhooks"]
SAME: dict[str, dict[str, Any]] = {
    "nothing": WANTED,
    "what the server adds": live("metadata", uid="1", resourceVersion="2", managedFields=[]),
    "somebody's label": live("metadata", labels={"ours": "yes", "theirs": "yes"}),
    "a default": live("webhooks", 0, timeoutSeconds=10),
    "an empty list that is not stored": live("webhooks", 1, matchConditions=None),
    "another order": live(webhooks=[B, A]),
}
DIFFERENT: list[tuple[dict[str, Any], str]] = [
    (live("metadata", labels={"theirs": "yes"}), "metadata.labels.ours"),
    (live("metadata", labels=None), "metadata.labels"),
    (live("webhooks", 0, failurePolicy="Ignore"), "webhooks[a].failurePolicy"),
    (live("webhooks", 0, namespaceSelector={"matchLabels": {}}), "webhooks[a].namespaceSelector"),
    (live("webhooks", 0, rules=[{"resources": ["pods"], "scope": "*"}]), "webhooks[a].rules"),
    (live("webhooks", 0, matchConditions=None), "webhooks[a].matchConditions[c]"),
    (live("webhooks", 0, matchConditions=[*A["matchConditions"], {"name": "d"}]), "webhooks[a].matchConditions[d]"),
    (live("webhooks", 1, matchConditions=[{"name": "d", "expression": "false"}]), "webhooks[b].matchConditions[d]"),
    (live(webhooks=[A]), "webhooks[b]"),
    (live(webhooks=[A, B, {"name": "c"}]), "webhooks[c]"),
    (live(webhooks=None), "webhooks[a]"),
]


@pytest.mark.parametrize("found", SAME.values(), ids=SAME)
def test_no_difference_is_found_in(found: dict[str, Any]) -> None:
    assert list(differences(WANTED, found)) == []
    assert not differs(WANTED, found)


@pytest.mark.parametrize(("found", "place"), DIFFERENT, ids=[place for _, place in DIFFERENT])
def test_a_difference_is_found_at(found: dict[str, Any], place: str) -> None:
    assert next(differences(WANTED, found)) == place
    assert differs(WANTED, found)


def test_a_missing_object_differs_and_the_data_of_a_secret_is_compared_whole() -> None:
    assert differs(WANTED, None)
    assert list(differences({"data": {"a": "1"}}, {"data": {"a": "1", "b": "2"}})) == ["data"]
