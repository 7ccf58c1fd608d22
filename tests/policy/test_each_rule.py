"""What all rules have in common: where a violation is, what it rests on, and what an update makes of it."""

from collections.abc import Callable

import pytest

from tests.build import CLUSTER, Object, disk, kubevirt, node, vm, vmi
from tests.policy.samples import (
    NO_INTERFACE,
    OF_VOLUMES,
    SAMPLES,
    SECONDARY,
    STRICT,
    breaking,
    devices,
    hyperv,
    interface,
    preexisting,
    table,
    verdict,
)
from webhook import evaluate
from webhook.policy.rules import RULES

PVC = "volumes[1].persistentVolumeClaim.claimName"
WHERE = {
    # by rule: the path below the VMI's spec, words of the message, words of the evidence
    "claim-known": (PVC, "does not exist", "does not exist"),
    "ephemeral-claim": (f"volumes[1].ephemeral.{PVC[11:]}", "would not start", "ReadWriteOnce"),
    "host-devices": ("domain.devices.hostDevices[0]", "cannot live-migrate", ""),
    "host-disk": ("volumes[1].hostDisk", "cannot live-migrate", ""),
    "hyperv-passthrough": ("domain.features.hypervPassthrough", "cannot live-migrate", ""),
    "launch-security": ("domain.launchSecurity", "SEV; the guest's memory is bound to its host", ""),
    "migration-ports": ("domain.devices.interfaces[0].ports", "a migration of this VM fails", ""),
    "node-pinned": ("nodeSelector", "no other node", ""),
    "persistent-reservation": ("domain.devices.disks[0].lun.reservation", "does not live-migrate", ""),
    "pod-network": ("domain.devices.interfaces[0]", "by bridge; its address would not survive", ""),
    "san-block": (PVC, "is in Filesystem mode on ontap-san", "ontap-san"),
    "shared-access": (PVC, "is ReadWriteOnce, not ReadWriteMany", "ReadWriteOnce"),
    "smb-share": (PVC, "cannot start", "smb"),
    "tsc-frequency": ("domain.features.hyperv.reenlightenment", "does not live-migrate", ""),
}
KINDS = pytest.mark.parametrize(("make", "root"), [(vm, "spec.template.spec"), (vmi, "spec")], ids=["VM", "VMI"])
EACH = pytest.mark.parametrize("name", WHERE)
OF = {rule.name: rule for rule in RULES}
REASONS = {rule.name: rule.reason for rule in RULES} | {"launch-security": "SEVNotLiveMigratable"}


def made(name: str, make: Callable[..., Object], *more: Object, **fields: object) -> Object:
    """Return the sample of a rule as a VM or VMI, with a good volume before its own and more after it."""
    spec = SAMPLES[name][0]["spec"]["template"]["spec"]
    others = {key: value for key, value in spec.items() if key != "volumes"}
    return make(disk("good"), *spec["volumes"], *more, **others, **fields)


def test_every_rule_stands_above_but_the_one_about_the_patched_field() -> None:
    assert set(OF) - set(WHERE) == {"eviction-strategy"}


@KINDS
@EACH
def test_a_violation_says_where_what_and_why(name: str, make: Callable[..., Object], root: str) -> None:
    path, words, evidence = WHERE[name]
    found = verdict(made(name, make), *SAMPLES[name][1])
    (violation,) = found.violations
    assert (violation.rule, violation.reason, violation.action) == (name, REASONS[name], OF[name].default)
    assert (violation.volume, violation.field) == ("the-name" if name in OF_VOLUMES else None, f"{root}.{path}")
    assert words in violation.message
    assert evidence in (violation.evidence or "")
    assert (violation.preexisting, violation.exempt) == (False, False)
    warns = OF[name].default == "warn"
    assert found.allowed is warns
    assert any(line.endswith(f"[{name}]") for line in found.warnings) is warns
    assert not warns or [operation["value"] for operation in found.eviction_patch] == ["LiveMigrate"]


@KINDS
@EACH
def test_an_update_may_keep_a_violation_and_may_not_add_one(name: str, make: Callable[..., Object], root: str) -> None:
    objects, denying = SAMPLES[name][1], {name: "deny"}
    bad, good = made(name, make), make(disk("good"))
    changed = made(name, make, disk("good-block"), hostname="x")
    assert preexisting(changed, *objects, old=bad, rules=denying) == [True]
    assert verdict(changed, *objects, old=bad, rules=denying).allowed
    assert preexisting(bad, *objects, old=good, rules=denying) == [False]
    assert not verdict(bad, *objects, old=good, rules=denying).allowed


BY_NAME = {"eviction-strategy", "host-devices", "host-disk", "persistent-reservation"}
"""The rules that are violated again by another name, of a device or volume that has no PVC to be known by."""


@pytest.mark.parametrize("name", OF)
def test_a_violation_is_known_by_its_rule_and_its_volume_or_pvc_or_device(name: str) -> None:
    (old, objects), is_known = breaking(name, "a", "x"), name not in BY_NAME
    by_rule = is_known and name not in OF_VOLUMES
    for part, claimed, expected in (("b", "x", is_known), ("a", "y", True), ("b", "y", by_rule)):
        new, more = breaking(name, part, claimed)
        assert preexisting(new, *objects, *more, old=old, final=True, rules=STRICT.rules) == [expected]


def detached(**found: object) -> Object:
    return vm(domain=devices(**found, autoattachPodInterface=False))


NODES, DEVICE = (node("a"), node("b")), {"name": "g", "deviceName": "x"}
CLOCK = vm(domain=hyperv(reenlightenment={}), networks=[SECONDARY])
WITHOUT_CR: list[tuple[str, Object, str, str]] = [
    ("one GPU", detached(gpus=[DEVICE]), "host-devices", "warn"),
    ("a GPU without a name", detached(gpus=[{"name": "g"}]), "host-devices", "warn"),
    ("two GPUs", detached(gpus=[DEVICE, {**DEVICE, "name": "h"}]), "host-devices", "deny"),
    ("a host device", detached(hostDevices=[DEVICE]), "host-devices", "deny"),
    ("the default interface", vm(), "pod-network", "warn"),
    ("a plugin", vm(**interface(binding={"name": "mine"})), "pod-network", "warn"),
    ("a bridge", vm(**interface(bridge={})), "pod-network", "deny"),
    ("no interface", vm(**NO_INTERFACE), "pod-network", "deny"),
    ("nodes without a frequency, but maybe a minimum", CLOCK, "tsc-frequency", "warn"),
]


@table(WITHOUT_CR, "vm_object rule action")
def test_what_only_an_unknown_kubevirt_cr_could_say_is_warned_about(vm_object: Object, rule: str, action: str) -> None:
    found = evaluate(vm_object, [*NODES, *(obj for obj in CLUSTER if obj["kind"] != "KubeVirt")]).violations
    assert {(violation.rule, violation.action) for violation in found} == {(rule, action)}
    known = verdict(vm_object, *NODES, kubevirt(network={})).violations
    assert {(violation.rule, violation.action) for violation in known} == {(rule, "deny")}
