"""External changes of the webhook configurations and the CA's Secret are reverted; labels that others add stay."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e_controller.release import CA_SECRET, LEASE, MUTATING, VALIDATING, Release
from tests.eventually import eventually

Change = Callable[[Any], object]


def state(release: Release, path: str) -> Any:
    """Return what of an object is our own."""
    live = release.read(path) or {"metadata": {}}
    return live.get("webhooks"), live.get("data"), live["metadata"].get("ownerReferences")


CHANGES: dict[str, tuple[str, Change]] = {
    "a failurePolicy": (VALIDATING, lambda live: live["webhooks"][0].update(failurePolicy="Ignore")),
    "one condition more": (
        VALIDATING,
        lambda live: live["webhooks"][0]["matchConditions"].append({"name": "never", "expression": "false"}),
    ),
    "no bundle": (VALIDATING, lambda live: live["webhooks"][0]["clientConfig"].pop("caBundle")),
    "one webhook less": (MUTATING, lambda live: live["webhooks"].pop()),
    "no owner": (VALIDATING, lambda live: live["metadata"].pop("ownerReferences")),
    "a Secret with half of its content": (CA_SECRET, lambda secret: secret["data"].pop("signing.key")),
    "a Secret without an owner": (CA_SECRET, lambda secret: secret["metadata"].pop("ownerReferences")),
}


@pytest.mark.parametrize(("path", "change"), CHANGES.values(), ids=CHANGES)
def test_an_external_change_is_reverted(installed: Release, path: str, change: Change) -> None:
    before = state(installed, path)
    installed.edit(path, change)
    assert state(installed, path) != before
    eventually("it is as it was", lambda: state(installed, path) == before)
    assert installed.replicas[0].is_ready


def test_a_label_that_somebody_adds_stays(installed: Release) -> None:
    installed.edit(VALIDATING, lambda live: live["metadata"]["labels"].update(team="storage"))
    installed.edit(VALIDATING, lambda live: live["webhooks"][0].update(timeoutSeconds=3))
    eventually("the timeout as it was", lambda: "'timeoutSeconds': 3" not in str(installed.read(VALIDATING)))
    assert (installed.read(VALIDATING) or {})["metadata"]["labels"]["team"] == "storage"


def test_what_is_as_it_must_be_is_not_written(installed: Release) -> None:
    """Else every API server would compile all conditions again, every two seconds."""

    def versions() -> list[Any]:
        return [(installed.read(path) or {})["metadata"]["resourceVersion"] for path in (VALIDATING, MUTATING)]

    before, renewals = versions(), set()

    def renewed() -> bool:
        renewals.add((installed.read(LEASE) or {})["spec"]["renewTime"])
        return len(renewals) > 3

    eventually("the leader has reconciled three times", renewed)
    assert versions() == before
