"""What somebody does to the webhook configurations by hand is undone, and what others add to them for themselves stays."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e_controller.release import LEASE, MUTATING, VALIDATING, Release, await_that

BOTH = pytest.mark.parametrize("path", [VALIDATING, MUTATING], ids=["validating", "mutating"])


@BOTH
def test_a_deleted_webhook_configuration_comes_back(installed: Release, path: str) -> None:
    installed.delete(path)
    await_that(lambda: installed.read(path), "registration")
    installed.await_in_force()


def change_first(**fields: Any) -> Callable[[Any], None]:
    """Return a change of fields of the first webhook."""
    return lambda live: live["webhooks"][0].update(fields)


def a_condition(live: Any) -> None:
    live["webhooks"][0]["matchConditions"].append({"name": "never", "expression": "false"})


def a_webhook(live: Any) -> None:
    live["webhooks"].append({**live["webhooks"][0], "name": "other.example.com"})


def another_owner(live: Any) -> None:
    other = {"apiVersion": "v1", "kind": "Namespace", "name": "vms", "uid": "e2b0c2f0-0000-4000-8000-000000000000"}
    live["metadata"]["ownerReferences"].append(other)


EDITS: dict[str, Callable[[Any], None]] = {
    "a failurePolicy": change_first(failurePolicy="Ignore"),
    "one condition more": a_condition,
    "no owner": lambda live: live["metadata"].pop("ownerReferences"),
}
MORE_EDITS: dict[str, Callable[[Any], None]] = {
    "a timeout": change_first(timeoutSeconds=1),
    "a namespaceSelector": change_first(namespaceSelector={"matchLabels": {"a": "b"}}),
    "an objectSelector": change_first(objectSelector={"matchLabels": {"a": "b"}}),
    "no conditions": change_first(matchConditions=[]),
    "one webhook less": lambda live: live["webhooks"].pop(),
    "one webhook more": a_webhook,
    "another Service": lambda live: live["webhooks"][0]["clientConfig"]["service"].update(name="other"),
    "no bundle": lambda live: live["webhooks"][0]["clientConfig"].pop("caBundle"),
    "no labels": lambda live: live["metadata"].pop("labels"),
    "another owner": another_owner,
}


@pytest.mark.parametrize(
    "change",
    [
        *(pytest.param(change, id=name) for name, change in EDITS.items()),
        *(pytest.param(change, id=name, marks=pytest.mark.cluster) for name, change in MORE_EDITS.items()),
    ],
)
def test_an_edit_is_undone(installed: Release, change: Callable[[Any], None]) -> None:
    before = essence(installed)
    installed.edit(VALIDATING, change)
    assert essence(installed) != before
    await_that(lambda: essence(installed) == before, "the webhook configuration as it was")


def essence(release: Release) -> Any:
    """Return what of the validating configuration is ours."""
    live = release.read(VALIDATING)
    assert live
    metadata = live["metadata"]
    return live["webhooks"], metadata.get("labels"), metadata.get("ownerReferences")


def test_a_label_of_somebody_elses_stays(installed: Release) -> None:
    installed.edit(VALIDATING, lambda live: live["metadata"]["labels"].update(team="storage"))
    installed.edit(VALIDATING, change_first(timeoutSeconds=3))
    await_that(lambda: "'timeoutSeconds': 3" not in str(installed.read(VALIDATING)), "the timeout as it was")
    live = installed.read(VALIDATING)
    assert live
    assert live["metadata"]["labels"]["team"] == "storage"
    installed.edit(VALIDATING, lambda found: found["metadata"]["labels"].pop("team"))


def test_what_is_as_it_must_be_is_not_written(installed: Release) -> None:
    """Else every API server would compile all conditions again, every two seconds."""

    def versions() -> list[Any]:
        found = [installed.read(path) for path in (VALIDATING, MUTATING)]
        return [live and live["metadata"]["resourceVersion"] for live in found]

    before, seen = versions(), set()

    def passes() -> int:
        lease = installed.read(LEASE)
        seen.add(lease and lease["spec"]["renewTime"])
        return len(seen)

    await_that(lambda: passes() > 3, "three passes of the leader")
    assert versions() == before
