"""What all rules have in common: where a violation is, what it says, and what an update makes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.build import RWO, RWX, Object, claim, disk, host_disk, node, vm, vmi
from tests.policy.samples import OLD_KUBEVIRT, SMB, devices, ephemeral, hyperv, interface, preexisting, verdict
from webhook.policy.rules import RULES

NODES = (node("n1"), node("n2"))
SECONDARY = {"name": "net", "multus": {"networkName": "x"}}
NETWORKS = [SECONDARY, {"name": "front", "pod": {}}]
BRIDGES = [{"name": "net", "bridge": {}}, {"name": "front", "bridge": {}}]


@dataclass(frozen=True)
class Sample:
    """What violates a rule, and what the violation says."""

    path: str
    parts: tuple[str, ...]
    fields: Object = field(default_factory=dict)
    volumes: tuple[Object, ...] = ()
    objects: tuple[Object, ...] = ()
    volume: str | None = None
    evidence: str = ""


def of_volume(path: str, volume: Object, *objects: Object, parts: tuple[str, ...], evidence: str = "") -> Sample:
    volumes = (disk("good"), volume)
    return Sample(f"volumes[1].{path}", (f'"{volume["name"]}"', *parts), {}, volumes, objects, volume["name"], evidence)


PVC = "persistentVolumeClaim.claimName"
SAMPLES = {
    "claim-known": of_volume(PVC, disk("c", "v"), parts=('"c"', "does not exist"), evidence="does not exist"),
    "ephemeral-claim": of_volume(
        f"ephemeral.{PVC}", ephemeral("e", "c"), claim("c", RWO), parts=('"c"', "would not start"), evidence=RWO
    ),
    "host-devices": Sample(
        "domain.devices.hostDevices[0]",
        ('"h"', "cannot live-migrate"),
        {"domain": devices(hostDevices=[{"name": "h", "deviceName": "x"}])},
    ),
    "host-disk": of_volume("hostDisk", host_disk("h"), parts=("cannot live-migrate",)),
    "hyperv-passthrough": Sample(
        "domain.features.hypervPassthrough",
        ("hypervPassthrough", "cannot live-migrate"),
        {"domain": {"features": {"hypervPassthrough": {"enabled": True}}}},
    ),
    "launch-security": Sample(
        "domain.launchSecurity", ("TDX", "cannot live-migrate"), {"domain": {"launchSecurity": {"tdx": {}}}}
    ),
    "migration-ports": Sample(
        "domain.devices.interfaces[0].ports", ("49152", "fails"), interface(masquerade={}, ports=[{"port": 49152}])
    ),
    "node-pinned": Sample(
        "nodeSelector", ('"n1"', "no other node"), {"nodeSelector": {"kubernetes.io/hostname": "n1"}}, (), NODES
    ),
    "persistent-reservation": Sample(
        "domain.devices.disks[1].lun.reservation",
        ('"s"', "does not live-migrate"),
        {"domain": devices(disks=[{"name": "x", "disk": {}}, {"name": "s", "lun": {"reservation": True}}])},
        (),
        (OLD_KUBEVIRT,),
    ),
    "pod-network": Sample(
        "domain.devices.interfaces[1]",
        ('"front"', "bridge", "does not live-migrate"),
        {"networks": NETWORKS, "domain": devices(interfaces=BRIDGES)},
    ),
    "san-block": of_volume(
        PVC, disk("san-fs", "v"), parts=('"san-fs"', "Filesystem", "ontap-san", "cannot live-migrate"), evidence="san"
    ),
    "shared-access": of_volume(PVC, disk("once", "v"), parts=('"once"', RWO, "cannot live-migrate"), evidence=RWO),
    "smb-share": of_volume(
        PVC,
        disk("c", "v"),
        *(SMB, claim("c", RWX, storage_class="smb")),
        parts=('"c"', "SMB", "does not even start"),
        evidence="smb",
    ),
    "tsc-frequency": Sample(
        "domain.features.hyperv.reenlightenment",
        ("no node offers", "does not live-migrate"),
        {"domain": hyperv(reenlightenment={"enabled": True})},
        (),
        NODES,
    ),
}
KINDS = pytest.mark.parametrize(("make", "root"), [(vm, "spec.template.spec"), (vmi, "spec")], ids=["VM", "VMI"])
EACH = pytest.mark.parametrize("name", SAMPLES)
DEFAULTS = {rule.name: rule.default for rule in RULES}
REASONS = {rule.name: rule.reason for rule in RULES} | {"launch-security": "TDXNotLiveMigratable"}


def test_every_rule_has_a_sample_but_the_one_about_the_patched_field() -> None:
    assert set(DEFAULTS) - set(SAMPLES) == {"eviction-strategy"}


@KINDS
@EACH
def test_a_violation_says_where_what_and_why(name: str, make: Callable[..., Object], root: str) -> None:
    sample = SAMPLES[name]
    (found,) = verdict(make(*sample.volumes, **sample.fields), *sample.objects).violations
    assert (found.rule, found.reason, found.action) == (name, REASONS[name], DEFAULTS[name])
    assert (found.volume, found.field) == (sample.volume, f"{root}.{sample.path}")
    assert [part for part in sample.parts if part not in found.message] == []
    assert sample.evidence in (found.evidence or "")
    assert (found.preexisting, found.exempt) == (False, False)


@KINDS
@EACH
def test_a_rule_that_warns_admits_and_protects_and_one_that_denies_does_not(
    name: str, make: Callable[..., Object], root: str
) -> None:
    sample = SAMPLES[name]
    found = verdict(make(*sample.volumes, **sample.fields), *sample.objects)
    warns = DEFAULTS[name] == "warn"
    assert found.allowed is warns
    assert any(line.endswith(f"[{name}]") for line in found.warnings) is warns
    assert not warns or [operation["value"] for operation in found.eviction_patch] == ["LiveMigrate"]


@KINDS
@EACH
def test_an_update_may_keep_a_violation_and_may_not_add_one(name: str, make: Callable[..., Object], root: str) -> None:
    sample, settings = SAMPLES[name], {"rules": {name: "deny"}}
    bad = make(*sample.volumes, **sample.fields)
    changed = make(*sample.volumes, disk("good-block"), **{**sample.fields, "hostname": "x"})
    assert preexisting(changed, *sample.objects, old=bad, **settings) == [True]
    assert verdict(changed, *sample.objects, old=bad, **settings).allowed
    assert preexisting(bad, *sample.objects, old=make(disk("good")), **settings) == [False]
    assert not verdict(bad, *sample.objects, old=make(disk("good")), **settings).allowed
