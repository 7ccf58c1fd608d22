"""evictionStrategy of a VM that gets in although it cannot migrate: LiveMigrate would block every node drain."""

from collections.abc import Callable

import pytest

from tests.build import Object, disk, host_disk, kubevirt, vm, vmi
from tests.policy.test_patch import after, evaluated, notes

Make = Callable[..., Object]
KINDS = pytest.mark.parametrize("make", [vm, vmi], ids=["VirtualMachine", "instance"])


ADMITTED_UNMIGRATABLE = [
    ("a violation that only warns", {"mode": "warn"}, [disk("once")]),
    ("a rule that only warns", {"rules": {"san-block": "warn"}}, [disk("san-fs")]),
    ("a hostDisk", {"rules": {"host-disk": "warn"}}, [host_disk("h")]),
    ("a rule that is off", {"rules": {"shared-access": "off"}}, [disk("once")]),
    ("two rules that are off", {"rules": {"shared-access": "off", "san-block": "off"}}, [disk("san-fs-once")]),
    ("one rule off, one warns", {"rules": {"shared-access": "off", "san-block": "warn"}}, [disk("san-fs-once")]),
]


@KINDS
@pytest.mark.parametrize("before", [None, "None", "LiveMigrateIfPossible"])
@pytest.mark.parametrize(
    ("settings", "volumes"), [row[1:] for row in ADMITTED_UNMIGRATABLE], ids=[row[0] for row in ADMITTED_UNMIGRATABLE]
)
def test_a_vm_that_gets_in_although_it_cannot_migrate_never_gets_it(
    make: Make, before: str | None, settings: Object, volumes: list[Object]
) -> None:
    obj = make(*volumes, **({"evictionStrategy": before} if before else {}))
    assert evaluated(obj, **settings).allowed
    assert after(obj, **settings) == before


UNMIGRATABLE = {
    "host-devices": vm(domain={"devices": {"hostDevices": [{"name": "h"}]}}),
    "hyperv-passthrough": vm(domain={"features": {"hypervPassthrough": {}}}),
    "launch-security": vm(domain={"launchSecurity": {"sev": {}}}),
    "pod-network": vm(
        domain={"devices": {"interfaces": [{"name": "d", "bridge": {}}]}}, networks=[{"name": "d", "pod": {}}]
    ),
    "tsc-frequency": vm(architecture="arm64", domain={"features": {"hyperv": {"reenlightenment": {}}}}),
}


@pytest.mark.parametrize("action", ["warn", "off"])
@pytest.mark.parametrize("rule", UNMIGRATABLE)
def test_whatever_keeps_it_from_migrating_it_never_gets_it(rule: str, action: str) -> None:
    found = evaluated(UNMIGRATABLE[rule], rules={rule: action})
    assert found.allowed
    assert found.patch == []


def test_a_rule_that_is_off_is_not_told_of() -> None:
    found = evaluated(vm(disk("once")), rules={"shared-access": "off"})
    assert (found.violations, found.warnings, found.patch) == ([], [], [])


def test_an_old_violator_never_gets_it_with_a_change_of_its_template() -> None:
    assert after(vm(disk("once"), disk("good")), old=vm(disk("once"))) is None


def test_a_vm_that_cannot_migrate_and_says_live_migrate_is_warned_of_drains() -> None:
    obj = vm(disk("once"), evictionStrategy="LiveMigrate")
    assert after(obj, mode="warn") == "LiveMigrate"
    (line,) = notes(evaluated(obj, mode="warn"))
    assert "drain" in line


@pytest.mark.parametrize(
    ("default", "expected"),
    [("LiveMigrate", "LiveMigrateIfPossible"), ("LiveMigrateIfPossible", None), ("None", None), (None, None)],
)
def test_an_vmi_that_cannot_migrate_does_not_inherit_live_migrate_from_the_cluster(
    default: str | None, expected: str | None
) -> None:
    cluster = kubevirt(**({"evictionStrategy": default} if default else {}))
    assert after(vmi(disk("once")), cluster, mode="warn") == expected


def test_a_virtual_vm_that_cannot_migrate_is_left_to_its_vmi() -> None:
    assert after(vm(disk("once")), kubevirt(evictionStrategy="LiveMigrate"), mode="warn") is None
