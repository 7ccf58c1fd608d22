"""Where a live object differs from a wanted one, as an API server stores and completes it."""

from typing import Any

import jsonpatch
import pytest
import yaml

from webhook.controller.differences import differences, differs

WANTED: dict[str, Any] = yaml.safe_load(
    """
    metadata: {name: x, labels: {ours: "yes"}}
    webhooks:
    - name: a
      failurePolicy: Fail
      namespaceSelector: {}
      rules: [{resources: [pods]}]
      matchConditions: [{name: c, expression: "true"}]
    - {name: b, failurePolicy: Ignore, namespaceSelector: {}, rules: [], matchConditions: []}
    """
)
A, B = WANTED["webhooks"]
OTHER = {"name": "d", "expression": "false"}


def live(*place: str | int, value: Any = None) -> dict[str, Any]:
    """Return the wanted object with another value at a place, or without any."""
    change = {"op": "remove"} if value is None else {"op": "add", "value": value}
    found: dict[str, Any] = jsonpatch.apply_patch(WANTED, [{**change, "path": "/".join(map(str, ("", *place)))}])
    return found


SAME: dict[str, dict[str, Any]] = {
    "nothing": WANTED,
    "what the server adds": live("metadata", "managedFields", value=[]),
    "somebody's label": live("metadata", "labels", "theirs", value="yes"),
    "a default": live("webhooks", 0, "timeoutSeconds", value=10),
    "an empty list that is not stored": live("webhooks", 1, "matchConditions"),
    "another order": live("webhooks", value=[B, A]),
}
DIFFERENT: dict[str, dict[str, Any]] = {
    "metadata.labels.ours": live("metadata", "labels", value={"theirs": "yes"}),
    "metadata.labels": live("metadata", "labels"),
    "webhooks[a].failurePolicy": live("webhooks", 0, "failurePolicy", value="Ignore"),
    "webhooks[a].namespaceSelector": live("webhooks", 0, "namespaceSelector", "matchLabels", value={}),
    "webhooks[a].rules": live("webhooks", 0, "rules", 0, "scope", value="*"),
    "webhooks[a].matchConditions[c]": live("webhooks", 0, "matchConditions"),
    "webhooks[a].matchConditions[d]": live("webhooks", 0, "matchConditions", 1, value=OTHER),
    "webhooks[b].matchConditions[d]": live("webhooks", 1, "matchConditions", 0, value=OTHER),
    "webhooks[b]": live("webhooks", value=[A]),
    "webhooks[c]": live("webhooks", 2, value={"name": "c"}),
    "webhooks[a]": live("webhooks"),
}


@pytest.mark.parametrize("found", SAME.values(), ids=SAME)
def test_no_difference_is_found_in(found: dict[str, Any]) -> None:
    assert list(differences(WANTED, found)) == []
    assert not differs(WANTED, found)


@pytest.mark.parametrize(("place", "found"), DIFFERENT.items(), ids=DIFFERENT)
def test_a_difference_is_found_at(place: str, found: dict[str, Any]) -> None:
    assert next(differences(WANTED, found)) == place
    assert differs(WANTED, found)


def test_a_missing_object_differs_and_the_data_of_a_secret_is_compared_whole() -> None:
    assert differs(WANTED, None)
    assert list(differences({"data": {"a": "1"}}, {"data": {"a": "1", "b": "2"}})) == ["data"]
