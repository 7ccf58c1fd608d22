"""Our verdict against KubeVirt's own: admitted exactly where KubeVirt would migrate, with all reasons that hold."""

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.beside import beside
from tests.build import NAMESPACE, RWO, RWX, Object, claim, data_volume_disk, disk, host_disk, kubevirt, node, of_kind
from tests.conftest import Report
from tests.kubevirt_reasons import ALLOW_BRIDGE, REASONS, Instance, reasons_of
from tests.policy.samples import interface
from webhook import Settings, Verdict, evaluate
from webhook.cluster import Snapshot
from webhook.engine import Question, answer_start

HOST_MODEL = "CPUModeLiveMigratable"
"""KubeVirt's reason that depends on the node."""
INTERFACE, DEVICE, SEV, TDX, SECURE, RESERVATION, TSC, PASSTHROUGH, DISKS = REASONS
VERSIONS = ("1.6.6", "1.8.4", "1.9")


def cluster_of(instance: Instance) -> list[Object]:
    """Return KubeVirt of the version, two nodes, and the PVCs."""
    version = "v" + ".".join(map(str, instance.version)) + ".0"
    frequency = instance.tsc_frequency or None
    return [
        {**kubevirt(version=version), "spec": {"configuration": instance.config}},
        *(node(name, tsc=frequency) for name in ("n1", "n2")),
        *(claim(name, *modes, storage_class="x") for name, modes in instance.claims.items()),
    ]


def as_instance(instance: Instance) -> Object:
    status = {"migratedVolumes": [{"volumeName": name} for name in sorted(instance.moving)]}
    given: Object = {"annotations": instance.annotations, "spec": instance.spec, "status": status}
    return of_kind("kubevirt.io/v1", "VirtualMachineInstance", "t", NAMESPACE, **given)


def as_template(instance: Instance) -> Object:
    template = {"metadata": {"annotations": instance.annotations}, "spec": instance.spec}
    spec = {"runStrategy": "Halted", "template": template}
    return of_kind("kubevirt.io/v1", "VirtualMachine", "t", NAMESPACE, spec=spec)


Recorded = Callable[[], Iterator[tuple[str, Instance, str]]]
SHAPES = {"instance": as_instance, "template": as_template}


def differences(verdict: Verdict, instance: Instance, reported: str) -> list[str]:
    """Return what in a verdict KubeVirt would not say; ``reported`` is its first reason, "" where it would migrate."""
    holding = reasons_of(instance)
    first, ordered = (holding or [""])[0], instance.version >= (1, 6)
    ours = {str(violation.reason) for violation in verdict.violations if violation.action == "deny"}
    found = {
        f"admitted: {verdict.allowed}, KubeVirt reports {reported!r}": verdict.allowed is not (reported == ""),
        f"{reported} is not among ours: {sorted(ours)}": reported != "" and reported not in ours,
        f"ours are {sorted(ours)}, those that hold {sorted(holding)}": ours != set(holding),
        f"KubeVirt's order begins with {reported}, ours with {first}": ordered and reported != first,
    }
    return [what for what, differs in found.items() if differs]


def compared(instance: Instance, reported: str, shapes: tuple[str, ...] = ("instance", "template")) -> list[str]:
    before = copy.deepcopy(instance.spec)
    cluster = cluster_of(instance)
    found = [
        f"as {shape}: {what}"
        for shape in shapes
        for what in differences(evaluate(SHAPES[shape](instance), cluster), instance, reported)
    ]
    assert instance.spec == before
    return found


def unattached(*volumes: Object, **domain: Any) -> Object:
    """Return the spec of a VMI without a network."""
    devices = {"autoattachPodInterface": False, **domain.pop("devices", {})}
    return {"volumes": list(volumes), "domain": {"devices": devices, **domain}}


def on(reason: str, *versions: str) -> tuple[str, ...]:
    """Return what KubeVirt reports in each of VERSIONS where the reason holds in some, or in all."""
    return tuple(reason if version in (versions or VERSIONS) else "" for version in VERSIONS)


BRIDGED = interface(bridge={})
MASQUERADE = {"network": {"defaultNetworkInterface": "masquerade"}}
VIRTUAL = {"permittedHostDevices": {"mediatedDevices": [{"mdevNameSelector": "T4", "resourceName": "v/gpu"}]}}
GATE = {"developerConfiguration": {"featureGates": ["VGPULiveMigration"]}}
GPU = {"gpus": [{"name": "g", "deviceName": "v/gpu"}]}
LUN = {"disks": [{"name": "a", "lun": {"bus": "scsi", "reservation": True}}]}
HYPERV = {"hyperv": {"reenlightenment": {"enabled": True}}}
INVTSC = {"features": [{"name": "invtsc", "policy": "require"}]}
EXCERPT: list[tuple[str, Object, tuple[str, ...], dict[str, Any]]] = [
    # spec, KubeVirt's first reason in 1.6.6, 1.8.4 and 1.9, what else there is
    ("shared PVC", unattached(disk("a")), on(""), {"claims": {"a": [RWX]}}),
    ("PVC of one node", unattached(disk("a")), on(DISKS), {"claims": {"a": [RWO]}}),
    ("DataVolume of one node", unattached(data_volume_disk("a")), on(DISKS), {"claims": {"a": [RWO]}}),
    ("PVC of one node and of many", unattached(disk("a")), on(""), {"claims": {"a": [RWO, RWX]}}),
    ("one of two is shared", unattached(disk("a"), disk("b")), on(DISKS), {"claims": {"a": [RWX], "b": [RWO]}}),
    ("hostDisk", unattached(host_disk("a")), on(DISKS), {}),
    ("shared hostDisk", unattached(host_disk("a", shared=True)), on(""), {}),
    ("container disk", unattached({"name": "a", "containerDisk": {"image": "x"}}), on(""), {}),
    ("memory dump of one node", unattached({"name": "a", "memoryDump": {"claimName": "a"}}), on(""), {}),
    ("masquerade", interface(masquerade={}), on(""), {}),
    ("bridge", BRIDGED, on(INTERFACE), {}),
    ("bridge that may move", BRIDGED, on(""), {"annotations": {ALLOW_BRIDGE: "false"}}),
    ("passt", interface(passtBinding={}), on(INTERFACE, "1.6.6"), {}),
    ("no network named", {"domain": {}}, on(INTERFACE), {}),
    ("no network named, masquerade by default", {"domain": {}}, on(""), {"config": MASQUERADE}),
    ("host device", unattached(devices={"hostDevices": [{"name": "h", "deviceName": "x"}]}), on(DEVICE), {}),
    ("virtual GPU", unattached(devices=GPU), on(DEVICE, "1.6.6", "1.8.4"), {"config": {**VIRTUAL, **GATE}}),
    ("virtual GPU without the gate", unattached(devices=GPU), on(DEVICE), {"config": VIRTUAL}),
    ("SEV", unattached(launchSecurity={"sev": {}}), on(SEV), {}),
    ("SEV-SNP", unattached(launchSecurity={"snp": {}}), on(SEV, "1.8.4", "1.9"), {}),
    ("TDX", unattached(launchSecurity={"tdx": {}}), on(TDX, "1.8.4", "1.9"), {}),
    ("secure execution", {**unattached(launchSecurity={}), "architecture": "s390x"}, on(SECURE), {}),
    ("reservation", unattached(disk("a"), devices=LUN), on(RESERVATION, "1.6.6", "1.8.4"), {"claims": {"a": [RWX]}}),
    ("re-enlightenment", unattached(features=HYPERV), on(TSC), {}),
    ("re-enlightenment with a frequency", unattached(features=HYPERV), on(""), {"tsc_frequency": 2_100_000_000}),
    ("re-enlightenment with invtsc", unattached(features=HYPERV, cpu=INVTSC), on(""), {}),
    ("passthrough", unattached(features={"hypervPassthrough": {"enabled": True}}), on(PASSTHROUGH), {}),
    ("bridge and a disk", {**BRIDGED, "volumes": [disk("a")]}, on(INTERFACE), {"claims": {"a": []}}),
]


def major_and_minor(version: str) -> tuple[int, int]:
    """Return a version's numbers; a commit of the main branch is newer than every release."""
    if version.startswith("main"):
        return (1, 9)
    major, minor = version.removeprefix("v").split(".")[:2]
    return int(major), int(minor)


@pytest.mark.parametrize("column", range(len(VERSIONS)), ids=VERSIONS)
@pytest.mark.parametrize(("spec", "reported", "more"), [row[1:] for row in EXCERPT], ids=[row[0] for row in EXCERPT])
def test_an_excerpt_agrees_with_kubevirt(
    spec: Object, reported: tuple[str, ...], more: dict[str, Any], column: int
) -> None:
    instance = Instance(spec, major_and_minor(VERSIONS[column]), **more)
    assert compared(instance, reported[column]) == []


def rows(name: str) -> list[dict[str, Any]]:
    oracle = beside("oracle", "test_an_excerpt_agrees_with_kubevirt compares each reason once")
    return [json.loads(line) for line in (oracle / name).read_text(encoding="utf-8").splitlines()]


def verdicts() -> Iterator[tuple[str, Instance, str]]:
    """Yield name, VMI and KubeVirt's reason of each recorded verdict."""
    for row in rows("kubevirt_verdicts.jsonl"):
        vmi = row["vmi"]
        given = (vmi["metadata"]["annotations"], row["claims"], row["kubevirtConfig"], row["nodeTscFrequency"] or 0)
        for version, said in row["kubevirt"].items():
            assert said["live"] is (said["reason"] == "")
            yield f"{row['id']} {version}", Instance(vmi["spec"], major_and_minor(version), *given), said["reason"]


def cases() -> Iterator[tuple[str, Instance, str]]:
    """Yield name, VMI and KubeVirt's reason of each case that an admission webhook can evaluate.

    Left out: what breaks KubeVirt, the CPU model of a node, hostDisks that KubeVirt itself made of PVCs, and a
    feature state before its default. KubeVirt's function knows a PVC by the access modes in the status alone: the
    PVCs that a VM names have these, and none where the status has none.
    """
    for row in rows("kubevirt_cases.jsonl"):
        status, spec = row["vmi"].get("status", {}), row["vmi"]["spec"]
        translated = any("hostDisk" in volume for volume in spec["volumes"]) and "volumeStatus" in status
        if translated or row["id"] == "reenlightenment {} raw":
            continue
        if "defaults" not in row and "networks" not in spec and "interfaces" not in spec["domain"]["devices"]:
            spec["domain"]["devices"]["autoattachPodInterface"] = False
        infos = [volume["persistentVolumeClaimInfo"] for volume in status.get("volumeStatus", [])]
        named = [volume.get("persistentVolumeClaim", {}).get("claimName") for volume in spec["volumes"]]
        reported_of = {info["claimName"]: info["accessModes"] for info in infos}
        claims = {name: reported_of.get(name, []) for name in {*filter(None, named), *reported_of}}
        for version, said in row["observed"].items():
            if "live" in said and said["reason"] != HOST_MODEL:
                instance = Instance(
                    spec,
                    major_and_minor(version),
                    row["vmi"]["metadata"]["annotations"],
                    claims,
                    row.get("config", {}),
                    status.get("topologyHints", {}).get("tscFrequency", 0),
                    frozenset(moved["volumeName"] for moved in status.get("migratedVolumes", [])),
                )
                yield f"{row['id']} {version}", instance, said["reason"]


@pytest.mark.parametrize(
    ("recorded", "shapes", "expected"),
    [(verdicts, SHAPES, 2400), (cases, ["instance"], 480)],
    ids=["verdicts", "cases"],
)
def test_every_recorded_verdict_of_kubevirt_is_ours(
    recorded: Recorded, shapes: Iterable[str], expected: int, report: Report
) -> None:
    found = [
        (f"{name} as {shape}", compared(instance, reported, (shape,)))
        for name, instance, reported in recorded()
        for shape in shapes
    ]
    agreeing = sum(not differing for _, differing in found)
    report(f"{agreeing} of {len(found)} {recorded.__name__} agree with KubeVirt")
    assert [f"{name}: {what}" for name, differing in found for what in differing] == []
    assert agreeing == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_an_absent_pvc_is_admitted_with_a_warning_and_denied_at_the_start(version: str) -> None:
    """For KubeVirt it is one without access modes; for us it may be created between the two."""
    instance = Instance(unattached(disk("a")), major_and_minor(version))
    obj, cluster = as_instance(instance), Snapshot(cluster_of(instance))
    verdict = evaluate(obj, cluster)
    assert (verdict.allowed, [violation.rule for violation in verdict.violations]) == (True, ["claim-known"])
    assert not answer_start(Question(obj, None, "CREATE", {}), frozenset({"claim/a"}), cluster, Settings()).allowed
