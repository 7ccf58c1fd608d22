"""Taking an installation away: in which order, what is left alone, and when it is over."""

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
    """Take the installation away; return what is left, and what was told."""
    reported: list[str] = []
    return remove(api, installation(**fields), patience, reported.append), reported


def test_the_owner_goes_first_and_who_denies_before_who_patches(api: FakeApi) -> None:
    left, reported = removed(api)
    assert left == []
    assert [path for _, path in api.writes] == [OWNER, PROBE, VALIDATING, MUTATING, LEASE, SECRET]
    assert reported[0] == "deleted ClusterRole registrations"
    assert len(reported) == 6


def test_what_comes_back_goes_again(api: FakeApi) -> None:
    call, times = api.call, iter(range(3))

    def called(method: str, path: str, *args: Any, **options: Any) -> dict[str, Any]:
        found = call(method, path, *args, **options)
        if (method, path) == ("DELETE", LEASE) and next(times, None) is not None:
            api.put_there(LEASE, OURS)
        return found

    api.call = called  # type: ignore[method-assign]
    assert removed(api)[0] == []
    assert LEASE not in api.objects


def test_the_webhook_configurations_of_another_installation_stay(api: FakeApi) -> None:
    api.put_there(VALIDATING, THEIRS)
    assert removed(api)[0] == []
    assert [path for path in api.objects if path in (OWNER, *ALL)] == [VALIDATING]


def test_a_secret_that_others_write_stays(api: FakeApi) -> None:
    files = {"certFile": "/tls.crt", "keyFile": "/tls.key", "caFile": "/ca.crt"}
    assert removed(api, certificates={"source": "files", **files})[0] == []
    assert SECRET in api.objects


def test_a_fault_is_told_and_tried_again(api: FakeApi) -> None:
    api.faults[OWNER] = OUT_OF_REACH
    left, reported = removed(api, 0.1)
    assert left == ["everything"]
    assert reported[0] == f"trying again: {OUT_OF_REACH}"
    api.faults.clear()
    assert removed(api)[0] == []
