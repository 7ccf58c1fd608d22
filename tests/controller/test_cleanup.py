"""Cleanup: in which order, what is not deleted, and when it is done."""

from typing import Any

import pytest

from tests.controller.fake import LEASE, MUTATING, OUT_OF_REACH, OWNER, PROBE, SECRET, VALIDATING, FakeApi, installation
from webhook.controller import cleanup as removal
from webhook.controller.cleanup import remove

OURS = {"metadata": {"name": "x", "managedFields": [{"manager": "migratability-webhook"}]}}
THEIRS = {"metadata": {"name": "x"}, "webhooks": [{"clientConfig": {"url": "https://example.com"}}]}
ALL = (VALIDATING, MUTATING, PROBE, LEASE, SECRET)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """An API server with all that an installation makes."""
    for name in ("_LEARNS_WITHIN", "_QUIET", "_PAUSE"):
        monkeypatch.setattr(removal, name, 0.01)
    found = FakeApi()
    for path in ALL:
        found.put_there(path, OURS)
    return found


def removed(api: FakeApi, patience: float = 30, **fields: Any) -> tuple[list[str], list[str]]:
    """Run the cleanup; return what is left, and what was reported."""
    reported: list[str] = []
    return remove(api, installation(**fields), patience, reported.append), reported


def test_the_owner_is_deleted_first_and_validating_before_mutating(api: FakeApi) -> None:
    left, reported = removed(api)
    assert left == []
    assert [path for _, path in api.writes] == [OWNER, PROBE, VALIDATING, MUTATING, LEASE, SECRET]
    assert reported[0] == "deleted ClusterRole registrations"
    assert len(reported) == 6
    assert removed(api) == ([], [])


def test_an_object_that_comes_back_is_deleted_again(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    call, times = api.call, iter(range(3))

    def called(method: str, path: str, *args: Any, **options: Any) -> dict[str, Any]:
        found = call(method, path, *args, **options)
        if (method, path) == ("DELETE", LEASE) and next(times, None) is not None:
            api.put_there(LEASE, OURS)
        return found

    monkeypatch.setattr(api, "call", called)
    assert removed(api)[0] == []
    assert LEASE not in api.objects


def test_webhook_configurations_of_another_installation_are_not_deleted(api: FakeApi) -> None:
    api.put_there(VALIDATING, THEIRS)
    assert removed(api)[0] == []
    assert [path for path in api.objects if path in (OWNER, *ALL)] == [VALIDATING]


def test_a_secret_of_another_issuer_is_not_deleted(api: FakeApi) -> None:
    files = {"certFile": "/tls.crt", "keyFile": "/tls.key", "caFile": "/ca.crt"}
    assert removed(api, certificates={"source": "files", **files})[0] == []
    assert SECRET in api.objects


def test_an_error_is_reported_and_retried(api: FakeApi) -> None:
    api.faults[OWNER] = OUT_OF_REACH
    left, reported = removed(api, 0.1)
    assert left == ["everything"]
    assert reported[0] == f"trying again: {OUT_OF_REACH}"
    api.faults.clear()
    assert removed(api)[0] == []
