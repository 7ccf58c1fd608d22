"""What an object violated before a request, by the facts of now, is no reason to deny the request."""

from tests.build import RWO, Object, claim, data_volume_disk, disk, host_disk, templated_vm, vm, volume_request
from tests.policy.samples import ephemeral, table, verdict
from webhook import Verdict


def update(old: Object, new: Object) -> Verdict:
    return verdict(new, claim("once-too", RWO), old=old)


def requesting(*volumes: Object, declared: tuple[Object, ...] = ()) -> Object:
    return vm(*declared, status={"volumeRequests": [volume_request(volume) for volume in volumes]})


def on_nas(**storage: object) -> Object:
    return templated_vm("d", spec={"storage": {"storageClassName": "nas", **storage}})


SEV, TDX = (vm(domain={"launchSecurity": {technique: {}}}) for technique in ("sev", "tdx"))
PREEXISTING = [
    ("something else changed", vm(disk("once")), vm(disk("once"), hostname="x")),
    ("its place changed", vm(disk("once"), disk("good")), vm(disk("good"), disk("once"))),
    ("now by its DataVolume", vm(disk("once", "a")), vm(data_volume_disk("once", "b"))),
    ("the request became a volume", requesting(disk("once")), vm(disk("once"))),
    ("the request is still pending", requesting(disk("once")), requesting(disk("once"))),
    ("the volume is requested again", vm(disk("once")), requesting(disk("once"))),
    ("one of two corrected", vm(disk("once"), disk("once-block")), vm(disk("good"), disk("once-block"))),
    ("another technique of launch security", SEV, TDX),
]


@table(PREEXISTING, "old new")
def test_a_violation_that_was_there_is_preexisting(old: Object, new: Object) -> None:
    found = update(old, new)
    assert found.allowed
    assert [(violation.preexisting, violation.action) for violation in found.violations] == [(True, "deny")]
    assert [line for line in found.warnings if "(pre-existing)" in line] == found.warnings[:1]


DENIED = [
    ("its PVC under another name beside it", vm(disk("once", "a")), vm(disk("once", "b"), disk("good", "a"))),
    ("the volume was good", vm(disk("good", "d")), vm(disk("once", "d"))),
    ("another rule on the same volume", vm(disk("once", "d")), vm(disk("san-fs", "d"))),
    ("another rule on the same PVC", vm(ephemeral("a", "once")), vm(disk("once", "b"))),
    ("another rule on the same PVC name", vm(host_disk("d")), vm(disk("once", "d"))),
    ("a hot-plug request", vm(disk("good")), requesting(disk("once"), declared=(disk("good"),))),
    ("a template that now makes a worse PVC", on_nas(), on_nas(accessModes=[RWO])),
]


@table(DENIED, "old new")
def test_a_new_violation_is_denied(old: Object, new: Object) -> None:
    found = update(old, new)
    assert not found.allowed
    assert [violation.preexisting for violation in found.violations] == [False]


ONCE = vm(disk("once", "a"))
SWAPPED = vm(disk("once-too", "a"), disk("once", "b"))
A, B, C = (("shared-access", name) for name in "abc")
MIXED: list[tuple[str, Object, Object, dict[tuple[str, str], bool]]] = [
    ("one more volume", ONCE, vm(disk("once", "a"), disk("once-block", "b")), {A: True, B: False}),
    ("its PVC under a second name", ONCE, SWAPPED, {A: True, B: False}),
    ("two that swap their PVCs", vm(disk("once", "a"), disk("once-too", "b")), SWAPPED, {A: True, B: True}),
    ("renamed, and one more", ONCE, vm(disk("once", "b"), disk("once-too", "c")), {B: True, C: False}),
    ("a second rule on the volume", ONCE, vm(disk("san-fs-once", "a")), {A: True, ("san-block", "a"): False}),
]


@table(MIXED, "old new expected")
def test_each_violation_is_pre_existing_or_new_for_itself(
    old: Object, new: Object, expected: dict[tuple[str, str], bool]
) -> None:
    found = update(old, new)
    assert {(violation.rule, violation.volume): violation.preexisting for violation in found.violations} == expected
    assert found.allowed is all(expected.values())
    assert len([line for line in found.warnings if "(pre-existing)" in line]) == sum(expected.values())
