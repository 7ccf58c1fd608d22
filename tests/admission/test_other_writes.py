"""Writes of KubeVirt's rarer features: memory dumps, CD-ROMs, targets of a migration, several hot-plugs at once."""

import pytest

from tests.build import Object, disk, vm, vmi, volume_request
from tests.build_paths import ALICE, APISERVER, CONTROLLER, ask, known_as, owned

DUMP = {"name": "dump", "memoryDump": {"claimName": "once", "hotpluggable": True}}
DB, GOOD = known_as(vm(disk("good"))), vm(disk("good"))
DUMP_REQUEST = {"memoryDumpRequest": {"claimName": "once", "phase": "Associating"}}
REMOVAL = {"removeVolumeOptions": {"name": "old"}}


def with_drive(*claims: str) -> Object:
    """Return a VM with a CD-ROM drive, and the PVC in it."""
    media = [{"name": "cd", "persistentVolumeClaim": {"claimName": name, "hotpluggable": True}} for name in claims]
    return vm(disk("good"), *media, domain={"devices": {"disks": [{"name": "cd", "cdrom": {"bus": "sata"}}]}})


def requested(*requests: Object) -> Object:
    return vm(disk("good"), disk("once", "old"), status={"volumeRequests": list(requests)})


def receiver(claim: str) -> Object:
    return vm(disk(claim), spec={"runStrategy": "WaitAsReceiver"})


BAD_DISK_AND_DUMP = vm(disk("good"), DUMP, disk("once"))
GOOD_REQUEST, SAN_REQUEST, ONCE_REQUEST = map(volume_request, (disk("good-block"), disk("san-fs"), disk("once", "new")))
SHARED, SAN, STATUS = ["shared-access"], ["san-block"], (APISERVER, "status")
CHANGES: dict[str, tuple[Object, Object | None, str, str, list[str] | None]] = {
    "a dump's request": (vm(disk("good"), status=DUMP_REQUEST), GOOD, *STATUS, None),
    "a dump in a VMI": (owned(vmi(disk("good"), DUMP), DB), owned(vmi(disk("good")), DB), CONTROLLER, "", None),
    "a dump in a template": (vm(disk("good"), DUMP), GOOD, CONTROLLER, "", None),
    "a bad disk beside a dump": (BAD_DISK_AND_DUMP, GOOD, ALICE, "", SHARED),
    "an empty drive": (with_drive(), None, ALICE, "", []),
    "a good medium": (with_drive("good-block"), with_drive(), ALICE, "", []),
    "a bad medium": (with_drive("once"), with_drive(), ALICE, "", SHARED),
    "a worse medium in place of a bad one": (with_drive("san-fs-once"), with_drive("once"), ALICE, "", SAN),
    "a user ejects a bad medium": (with_drive(), with_drive("once"), ALICE, "", None),
    "KubeVirt ejects a bad medium": (with_drive(), with_drive("once"), APISERVER, "", None),
    "a good VM that waits as receiver of a migration": (receiver("good"), None, ALICE, "", []),
    "a bad VM that waits as receiver of a migration": (receiver("once"), None, ALICE, "", SHARED),
    "several hot-plugs, one bad": (requested(GOOD_REQUEST, SAN_REQUEST, REMOVAL), requested(), *STATUS, SAN),
    "a good hot-plug and the removal of a bad disk": (requested(GOOD_REQUEST, REMOVAL), requested(), *STATUS, []),
    "a bad hot-plug and the removal of a bad disk": (requested(REMOVAL, ONCE_REQUEST), requested(), *STATUS, SHARED),
}
"""New and old object, user, subresource, and the rules that deny; None where not even a warning is due."""


@pytest.mark.parametrize(("new", "old", "user", "subresource", "rules"), CHANGES.values(), ids=CHANGES)
def test_which_rules_deny(
    new: Object, old: Object | None, user: str, subresource: str, rules: list[str] | None
) -> None:
    found = ask(new, old, DB, user=user, subresource=subresource)
    assert (found.allowed, found.rules) == (not rules, rules or [])
    assert rules is not None or found.warnings == []


@pytest.mark.parametrize("name", ["several hot-plugs, one bad", "a bad disk beside a dump"])
def test_the_bad_disk_alone_is_named(name: str) -> None:
    new, old, user, subresource, _ = CHANGES[name]
    places = ("spec.template.spec.volumes[2]", "status.volumeRequests[1].addVolumeOptions.volumeSource")
    found = ask(new, old, DB, user=user, subresource=subresource)
    assert found.fields == [f"{places[subresource == 'status']}.persistentVolumeClaim.claimName"]
