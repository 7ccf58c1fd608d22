"""The Event that an object's users read."""

from datetime import UTC, datetime

from tests.build import Object, disk, vm
from tests.build_paths import OTHER_UID, UID, known_as
from webhook.cluster.events import event_on

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
VM_OBJECT = known_as(vm(disk("later")))


def event(about: Object = VM_OBJECT, message: str = "why") -> Object:
    return event_on(about, "NotLiveMigratable", message, NOW)


def test_an_event_is_about_the_object_and_in_its_namespace() -> None:
    found = event()
    expected = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": "db", "namespace": "vms", "uid": UID}
    assert {**found["involvedObject"], "namespace": found["metadata"]["namespace"]} == expected
    assert (found["type"], found["reason"], found["message"]) == ("Warning", "NotLiveMigratable", "why")
    assert found["lastTimestamp"] == "2026-11-24T12:00:00Z"


def test_the_same_message_about_the_same_object_is_one_event() -> None:
    about = [(known_as(VM_OBJECT, uid), message) for uid in (UID, OTHER_UID) for message in "ab"]
    names, again = ([event(*each)["metadata"]["name"] for each in about] for _ in range(2))
    assert (len(set(names)), again) == (4, names)


def test_name_and_message_are_never_longer_than_the_api_server_takes() -> None:
    found = event(vm(name="d" * 253), "x" * 5000)
    assert (len(found["metadata"]["name"]) <= 253, len(found["message"]) <= 1024) == (True, True)
