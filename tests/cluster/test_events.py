"""The Event that an object's users read."""

from datetime import UTC, datetime

import pytest

from tests.build import disk, vm
from tests.build_paths import OTHER_UID, known_as
from webhook.cluster.events import event_on

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
VM_OBJECT = known_as(vm(disk("later")))


def test_it_is_about_the_object_and_lies_beside_it() -> None:
    event = event_on(VM_OBJECT, "NotLiveMigratable", "why", NOW)
    assert event["metadata"]["namespace"] == "vms"
    assert {key: event["involvedObject"][key] for key in ("kind", "name", "uid")} == {
        "kind": "VirtualMachine",
        "name": "db",
        "uid": VM_OBJECT["metadata"]["uid"],
    }
    assert (event["type"], event["reason"], event["message"]) == ("Warning", "NotLiveMigratable", "why")
    assert event["lastTimestamp"] == "2026-11-24T12:00:00Z"


def test_the_same_words_about_the_same_object_are_one_event() -> None:
    def name(uid: str, message: str) -> str:
        found: str = event_on(known_as(VM_OBJECT, uid), "NotLiveMigratable", message, NOW)["metadata"]["name"]
        return found

    assert name("u", "why") == name("u", "why")
    assert len({name("u", "why"), name("u", "other"), name(OTHER_UID, "why")}) == 3


@pytest.mark.parametrize("name", ["db", "d" * 253])
def test_name_and_message_are_never_longer_than_the_api_server_takes(name: str) -> None:
    event = event_on(vm(name=name), "NotLiveMigratable", "x" * 5000, NOW)
    assert len(event["metadata"]["name"]) <= 253
    assert len(event["message"]) <= 1024
