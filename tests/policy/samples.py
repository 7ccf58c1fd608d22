"""A VM for each rule that violates it alone, with the objects that it needs for that."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.build import CLUSTER, RWO, RWX, Object, claim, disk, host_disk, kubevirt, node, storage_class, vm
from webhook import Settings, Verdict, evaluate
from webhook.policy.rules import RULES

STRICT = Settings.parse({"rules": {rule.name: "deny" for rule in RULES}})
"""Every rule denies."""
SMB = storage_class("smb", backendType="ontap-nas", nasType="smb")
OLD_KUBEVIRT = kubevirt(version="v1.8.4")
POD, SECONDARY = {"name": "default", "pod": {}}, {"name": "net", "multus": {"networkName": "x"}}

NASTY = {
    "newline": "a\nb",
    "carriage return": "a\rb",
    "tab": "a\tb",
    "escape": "a\x1b[31mb",
    "null": "a\x00b",
    "delete": "a\x7fb",
    "next line": "a\x85b",
    "control sequence": "a\x9b31mb",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "right to left": "a\u202eb",
    "lone surrogate": "a\ud800b",
    "quotes": 'a"b\\',
    "spaces": "a  b c",
}
"""Words that would break a line, colour a terminal, or not be printed at all."""


def devices(**found: object) -> Object:
    """Return a domain with these devices."""
    return {"devices": found}


def interface(name: str = "default", **binding: object) -> Object:
    """Return the fields of a VM with an interface of this binding on its pod network."""
    return {"networks": [{"name": name, "pod": {}}], "domain": devices(interfaces=[{"name": name, **binding}])}


NO_INTERFACE = {**interface("other", masquerade={}), "networks": [SECONDARY, POD]}


def hyperv(**features: object) -> Object:
    """Return a domain with these Hyper-V features."""
    return {"features": {"hyperv": features}}


def ephemeral(name: str, claimed: str) -> Object:
    """Return a volume that is a temporary overlay on a PVC."""
    return {"name": name, "ephemeral": {"persistentVolumeClaim": {"claimName": claimed}}}


def breaking(rule: str, name: str, claimed: str | None = None) -> tuple[Object, tuple[Object, ...]]:
    """Return a VM whose part of this name, or PVC ``claimed``, violates a rule, with the objects needed for that."""
    of = claimed or name
    reserved = devices(disks=[{"name": name, "lun": {"reservation": True}}])
    samples: dict[str, tuple[Object, tuple[Object, ...]]] = {
        "claim-known": (vm(disk(of, name)), ()),
        "ephemeral-claim": (vm(ephemeral(name, of)), (claim(of, RWO),)),
        "eviction-strategy": (vm(evictionStrategy=name), ()),
        "host-devices": (vm(domain=devices(hostDevices=[{"name": name, "deviceName": "x"}])), ()),
        "host-disk": (vm(host_disk(name)), ()),
        "hyperv-passthrough": (vm(domain={"features": {"hypervPassthrough": {"enabled": True}}}), ()),
        "launch-security": (vm(domain={"launchSecurity": {"sev": {}}}), ()),
        "migration-ports": (vm(**interface(name, masquerade={}, ports=[{"port": 49152}])), ()),
        "node-pinned": (vm(nodeSelector={"kubernetes.io/hostname": name}), ()),
        "persistent-reservation": (vm(domain=reserved), (OLD_KUBEVIRT,)),
        "pod-network": (vm(**interface(name, bridge={})), ()),
        "san-block": (vm(disk(of, name)), (claim(of, RWX, storage_class="san"),)),
        "shared-access": (vm(disk(of, name)), (claim(of, RWO),)),
        "smb-share": (vm(disk(of, name)), (claim(of, RWX, storage_class="smb"), SMB)),
        "tsc-frequency": (vm(domain=hyperv(reenlightenment={}), architecture=name), (node("a"), node("b"))),
    }
    return samples[rule]


NAMELESS = frozenset({"hyperv-passthrough", "launch-security", "migration-ports"})
"""The rules whose messages quote nothing that a user wrote."""
OF_VOLUMES = ("claim-known", "ephemeral-claim", "host-disk", "san-block", "shared-access", "smb-share")
SAMPLES = {rule.name: breaking(rule.name, "the-name", "the-claim") for rule in RULES}


def verdict(
    vm_object: Object, *objects: Object, old: Object | None = None, final: bool = False, **settings: object
) -> Verdict:
    """Return the verdict on a VM in the usual cluster with these objects in it."""
    found = Settings.parse(settings)
    operation = "UPDATE" if old else "CREATE"
    return evaluate(vm_object, [*CLUSTER, *objects], old=old, settings=found, operation=operation, final=final)


def rules(vm_object: Object, *objects: Object, **how: Any) -> list[str]:
    """Return the rules that a VM violates."""
    return [violation.rule for violation in verdict(vm_object, *objects, **how).violations]


def preexisting(vm_object: Object, *objects: Object, **how: Any) -> list[bool]:
    """Return for each violation whether it is pre-existing."""
    return [violation.preexisting for violation in verdict(vm_object, *objects, **how).violations]


def table(rows: Iterable[tuple[Any, ...]], names: str) -> pytest.MarkDecorator:
    """Return the parametrisation of a test by rows, each of which begins with its id."""
    return pytest.mark.parametrize(names.split(), [pytest.param(*row[1:], id=row[0]) for row in rows])
