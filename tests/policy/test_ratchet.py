"""What an object violated before a request is no reason to deny the request."""

from typing import Any

from tests.build import RWO, Object, claim, data_volume_disk, disk, host_disk, templated_vm, vm, vmi, volume_request
from tests.policy.samples import OLD_KUBEVIRT, devices, ephemeral, interface, preexisting, table, verdict
from webhook import Verdict

RUNNING: Any = {"status": {"created": True}}
HOSTNAME = "kubernetes.io/hostname"


def update(old: Object, new: Object, *objects: Object) -> Verdict:
    return verdict(new, claim("once-too", RWO), *objects, old=old)


def requesting(*volumes: Object, declared: tuple[Object, ...] = ()) -> Object:
    return vm(*declared, status={"volumeRequests": [volume_request(volume) for volume in volumes]})


def strategy(value: str) -> Object:
    return vm(disk("good"), evictionStrategy=value, **RUNNING)


def passthrough(**state: object) -> Object:
    return vm(domain={"features": {"hypervPassthrough": state}})


def forwarding(*ports: int) -> Object:
    return vm(**interface(masquerade={}, ports=[{"port": port} for port in ports]))


def reserved(*disks: str) -> Object:
    return vm(disk("good"), domain=devices(disks=[{"name": name, "lun": {"reservation": True}} for name in disks]))


def secured(technique: str) -> Object:
    return vm(domain={"launchSecurity": {technique: {}}})


def on_nas(**storage: object) -> Object:
    return templated_vm("d", spec={"storage": {"storageClassName": "nas", **storage}})


PREEXISTING = [
    ("untouched", vm(disk("once")), vm(disk("once"))),
    ("something else changed", vm(disk("once")), vm(disk("once"), hostname="x")),
    ("a good volume more", vm(disk("once")), vm(disk("good"), disk("once"))),
    ("its place changed", vm(disk("once"), disk("good")), vm(disk("good"), disk("once"))),
    ("another bad PVC under the same name", vm(disk("once", "d")), vm(disk("once-too", "d"))),
    ("renamed, the same PVC", vm(disk("once", "a")), vm(disk("once", "b"))),
    ("now by its DataVolume", vm(disk("once", "a")), vm(data_volume_disk("once", "b"))),
    ("the request became a volume", requesting(disk("once")), vm(disk("once"))),
    ("the request is still pending", requesting(disk("once")), requesting(disk("once"))),
    ("the volume is requested again", vm(disk("once")), requesting(disk("once"))),
    ("one of two corrected", vm(disk("once"), disk("once-block")), vm(disk("good"), disk("once-block"))),
    ("a VMI", vmi(disk("once")), vmi(disk("once"), disk("good"))),
    ("a rule about the whole VM", passthrough(), passthrough(enabled=True)),
    ("the same strategy", strategy("None"), vm(disk("good", "x"), evictionStrategy="None", **RUNNING)),
]


@table(PREEXISTING, "old new")
def test_a_violation_that_was_there_is_preexisting(old: Object, new: Object) -> None:
    found = update(old, new)
    assert found.allowed
    assert [(violation.preexisting, violation.action) for violation in found.violations] == [(True, "deny")]
    assert [line for line in found.warnings if "(pre-existing)" in line] == found.warnings[:1]


DENIED = [
    ("its PVC under another name beside it", vm(disk("once", "a")), vm(disk("once", "b"), disk("good", "a"))),
    ("nothing was wrong", vm(disk("good")), vm(disk("once"))),
    ("another volume", vm(disk("once")), vm(disk("once-too"))),
    ("the volume was good", vm(disk("good", "d")), vm(disk("once", "d"))),
    ("another rule on the same volume", vm(disk("once", "d")), vm(disk("san-fs", "d"))),
    ("another rule on the same PVC", vm(ephemeral("a", "once")), vm(disk("once", "b"))),
    ("another rule on the same PVC name", vm(host_disk("d")), vm(disk("once", "d"))),
    ("a renamed hostDisk has no PVC to be known by", vm(host_disk("a")), vm(host_disk("b"))),
    ("a hot-plug request", vm(disk("good")), requesting(disk("once"), declared=(disk("good"),))),
    ("a template that now makes a worse PVC", on_nas(), on_nas(accessModes=[RWO])),
    ("a VMI", vmi(disk("good")), vmi(disk("good"), disk("once"))),
    ("another strategy", strategy("LiveMigrateIfPossible"), strategy("None")),
    ("a strategy that was good", strategy("LiveMigrate"), strategy("None")),
]


@table(DENIED, "old new")
def test_a_new_violation_is_denied(old: Object, new: Object) -> None:
    found = update(old, new)
    assert not found.allowed
    assert [violation.preexisting for violation in found.violations] == [False]


ONCE = vm(disk("once", "a"))
SWAPPED = vm(disk("once-too", "a"), disk("once", "b"))
MIXED: list[tuple[str, Object, Object, dict[str, bool]]] = [
    ("one more volume", ONCE, vm(disk("once", "a"), disk("once-block", "b")), {"a": True, "b": False}),
    ("its PVC under a second name", ONCE, SWAPPED, {"a": True, "b": False}),
    ("two that swap their PVCs", vm(disk("once", "a"), disk("once-too", "b")), SWAPPED, {"a": True, "b": True}),
    ("renamed, and one more", ONCE, vm(disk("once", "b"), disk("once-too", "c")), {"b": True, "c": False}),
]


@table(MIXED, "old new expected")
def test_each_violation_is_pre_existing_or_new_for_itself(old: Object, new: Object, expected: dict[str, bool]) -> None:
    found = update(old, new)
    assert {violation.volume: violation.preexisting for violation in found.violations} == expected
    assert found.allowed is all(expected.values())
    assert len([line for line in found.warnings if "(pre-existing)" in line]) == sum(expected.values())


OVERLAY = vm(ephemeral("e", "once"))
OF_RULES: list[tuple[str, Object, Object, list[bool]]] = [
    ("an overlay of another PVC", OVERLAY, vm(ephemeral("e", "once-too")), [True]),
    ("a renamed overlay", OVERLAY, vm(ephemeral("renamed", "once")), [True]),
    ("another technique", secured("sev"), secured("tdx"), [True]),
    ("another port", forwarding(49153), forwarding(49152, 22), [True]),
    ("another pin", vm(nodeSelector={HOSTNAME: "a"}), vm(nodeSelector={HOSTNAME: "b"}), [True]),
    ("a renamed interface", vm(**interface("a", bridge={})), vm(**interface("b", bridge={})), [True]),
    ("one more reservation", reserved("a"), reserved("b", "a"), [False, True]),
    ("a reservation on another disk", reserved("a"), reserved("b"), [False]),
]


@table(OF_RULES, "old new expected")
def test_a_violation_is_known_by_its_rule_and_its_volume_or_device(
    old: Object, new: Object, expected: list[bool]
) -> None:
    assert preexisting(new, claim("once-too", RWO), OLD_KUBEVIRT, old=old) == expected


def test_a_second_rule_that_a_volume_violates_denies_beside_the_first() -> None:
    found = update(vm(disk("once", "d")), vm(disk("san-fs-once", "d")))
    assert {violation.rule: violation.preexisting for violation in found.violations} == {
        "shared-access": True,
        "san-block": False,
    }


def test_what_became_bad_while_the_vm_did_not_change_is_preexisting() -> None:
    """The old object is evaluated with the facts of now."""
    old, new = vm(disk("was-good")), vm(disk("was-good"), name="renamed")
    found = update(old, new, claim("was-good", RWO)).violations
    assert [violation.preexisting for violation in found] == [True]
