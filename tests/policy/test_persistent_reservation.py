"""persistent-reservation: a SCSI reservation, which is bound to its initiator."""

import pytest

from tests.build import Object, disk, kubevirt, vm
from tests.policy.samples import OLD_KUBEVIRT, devices, rules

RULE = "persistent-reservation"
VERSIONS = [
    # what KubeVirt observes, what the settings say
    *((version, "auto", True) for version in ("v1.5.3", "v1.8.4")),
    *((version, "auto", False) for version in ("v1.9.0-rc.2", "v1.9.0", "v1.10.0", "v2.0.0", "something", None)),
    ("v1.9.0", "1.8", True),
    ("v1.9.0", "v1.8.4", True),
    ("v1.8.4", "1.9", False),
]


def with_disk(**body: object) -> Object:
    return vm(disk("good"), domain=devices(disks=[{"name": "good", **body}]))


@pytest.mark.parametrize(("version", "setting", "is_denied"), VERSIONS)
def test_a_reservation_is_denied_before_1_9(version: str | None, setting: str, is_denied: bool) -> None:
    vm_object = with_disk(lun={"reservation": True})
    found = rules(vm_object, kubevirt(version=version), kubevirt={"version": setting})
    assert found == ([RULE] if is_denied else [])


@pytest.mark.parametrize(
    "body", [*({"lun": {"reservation": no}} for no in (False, None, "true", 1)), {"disk": {"reservation": True}}]
)
def test_a_disk_without_a_reservation_is_admitted(body: Object) -> None:
    assert rules(with_disk(**body), OLD_KUBEVIRT) == []
