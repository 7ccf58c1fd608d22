"""What holds for any content of the objects that a verdict can depend on: instancetypes, sources, backends, nodes."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from tests.build import (
    CLUSTER,
    NAMESPACE,
    RWX,
    Object,
    backend,
    claim,
    data_volume,
    data_volume_disk,
    data_volume_template,
    disk,
    kubevirt,
    node,
    persistent_volume,
    storage_class,
    vm,
    vmi,
)
from tests.build_facts import (
    INSTANCETYPE_DOMAIN,
    clone_source,
    cloned_from,
    data_source,
    instancetype,
    preference,
    revision,
    snapshot,
    snapshot_content,
    trident_volume,
)
from tests.policy.samples import devices, ephemeral, hyperv
from tests.test_properties import is_sound, mutated, quick, thorough
from webhook import evaluate
from webhook.cluster import Snapshot

LABELS = {f"{INSTANCETYPE_DOMAIN}default-{field}": name for field, name in (("instancetype", "i"), ("preference", "p"))}
IMPORTED = claim("imported", RWX, storage_class="any")
IMPORTED["metadata"]["annotations"] = {"trident.netapp.io/importBackendUUID": "u"}
FACTS: tuple[Object, ...] = (
    kubevirt(
        version="v1.9.0",
        network={"defaultNetworkInterface": "bridge", "binding": {"x": {"migration": {}}}},
        developerConfiguration={"featureGates": ["VGPULiveMigration"], "minimumClusterTSCFrequency": None},
        permittedHostDevices={"mediatedDevices": [{"resourceName": "v/gpu"}]},
    ),
    node("n1", tsc=2_000_000_000, labels={"zone": "a"}),
    node("n2", labels={"zone": "b"}),
    instancetype("i", gpus=[{"name": "g", "deviceName": "v/gpu"}], nodeSelector={"zone": "a"}, annotations={"a": "b"}),
    instancetype("i", NAMESPACE, hostDevices=[{"name": "h", "deviceName": "x"}], launchSecurity={"sev": {}}),
    preference(
        "p",
        features={"preferredHyperv": {"reenlightenment": {"enabled": True}}},
        devices={"preferredInterfaceMasquerade": {}, "preferredAutoattachPodInterface": True},
        volumes={"preferredStorageClassName": "any"},
        preferredArchitecture="amd64",
    ),
    preference("p", NAMESPACE, preferredLaunchSecurity={"tdx": {}}, annotations={"a": "b"}),
    revision("kept", "i", gpus=[{"name": "g"}]),
    {**claim("labelled", RWX), "metadata": {"name": "labelled", "namespace": NAMESPACE, "labels": LABELS}},
    data_source("ds", labels=LABELS, pvc={"name": "labelled"}),
    data_source("snapshots", snapshot={"name": "s", "namespace": NAMESPACE}),
    data_source("chained", dataSource={"name": "ds"}),
    snapshot("s", "bound", "content", labels=LABELS),
    snapshot_content("content", "pv/snap"),
    clone_source("v", "PersistentVolumeClaim", "bound"),
    storage_class("any", additionalStoragePools="tbe-.*:.*", selector="tier=gold; zone in (a,b)", fsType="ext4"),
    storage_class("picky", storagePools="tbe-x:.*", sanType="iscsi", excludeStoragePools="other:.*"),
    backend("u", "ontap-san", labels={"tier": "gold"}, storage=[{"labels": {"zone": "a"}}]),
    backend("w", "ontap-nas", "tbe-y", online=True, nasType="smb"),
    persistent_volume("pv", "block", backend="u"),
    persistent_volume("by-hand", "file", backend="w", provisioner=None),
    trident_volume("by-hand", "block", "u"),
    claim("bound", RWX, storage_class="any", volume="pv"),
    claim("static", RWX, storage_class="any", volume="by-hand"),
    claim("clone", RWX, storage_class="any", **cloned_from("VolumeCloneSource", "v")),
    claim("restored", RWX, storage_class="any", **cloned_from("VolumeSnapshot", "s")),
    claim("picked", RWX, storage_class="picky"),
    IMPORTED,
    data_volume("dv", storage={"storageClassName": "any"}, sourceRef={"kind": "DataSource", "name": "chained"}),
)
TEMPLATES = [
    data_volume_template(
        "made",
        storage={"accessModes": [RWX], "volumeMode": "Filesystem"},
        sourceRef={"kind": "DataSource", "name": "snapshots", "namespace": NAMESPACE},
    )
]
VOLUMES = (
    *(disk(name) for name in ("bound", "static", "clone", "restored", "imported", "picked", "labelled")),
    data_volume_disk("dv"),
    data_volume_disk("made"),
    ephemeral("e", "clone"),
)
INFERRED = {"inferFromVolume": "labelled", "inferFromVolumeFailurePolicy": "Ignore"}
TERM = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
REQUIRED = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [TERM]}}
FIELDS: Object = {
    "nodeSelector": {"zone": "a"},
    "affinity": {"nodeAffinity": REQUIRED},
    "networks": [{"name": "d", "pod": {}}],
    "domain": {
        **hyperv(reenlightenment={}),
        **devices(
            interfaces=[{"name": "d", "masquerade": {}, "ports": [{"port": 49152}]}],
            disks=[{"name": "bound", "lun": {"reservation": True}}],
            gpus=[{"name": "g", "deviceName": "v/gpu"}],
            hostDevices=[{"name": "h", "deviceName": "x"}],
        ),
        "launchSecurity": {"snp": {}},
        "cpu": {"features": [{"name": "invtsc", "policy": "optional"}]},
    },
}
KEPT = {"instancetypeRef": {"controllerRevisionRef": {"name": "kept"}}}
VMS = (
    vm(*VOLUMES, spec={"instancetype": {"name": "i"}, "preference": {"name": "p"}, "dataVolumeTemplates": TEMPLATES}),
    vm(*VOLUMES, spec={"instancetype": INFERRED, "preference": INFERRED}, status=KEPT),
    vm(spec={"instancetype": {"name": "i", "kind": "VirtualMachineInstancetype"}, "preference": {"revisionName": "x"}}),
    vm(data_volume_disk("made", "v"), spec={"preference": {"inferFromVolume": "v"}, "dataVolumeTemplates": TEMPLATES}),
    vm(*VOLUMES, **FIELDS),
    vmi(*VOLUMES, **FIELDS),
)


def test_the_samples_violate_every_rule_but_those_about_old_kubevirts_and_missing_pvcs() -> None:
    violated = {violation.rule for vm_object in VMS for violation in evaluate(vm_object, (*CLUSTER, *FACTS)).violations}
    of_storage = {"ephemeral-claim", "san-block"}
    of_hardware = {"host-devices", "launch-security", "migration-ports", "node-pinned", "pod-network"}
    assert violated >= of_storage | of_hardware


@thorough
@given(index=st.integers(0, len(FACTS) - 1), data=st.data())
def test_any_json_in_the_objects_of_a_cluster_gets_a_verdict(index: int, data: st.DataObject) -> None:
    wrong = data.draw(mutated(FACTS[index]))
    cluster = Snapshot([*CLUSTER, *FACTS[:index], wrong, *FACTS[index + 1 :]])
    for vm_object in VMS:
        is_sound(evaluate(vm_object, cluster))


@thorough
@given(vm_object=mutated(*VMS), final=st.booleans())
def test_any_json_as_a_vm_of_all_these_gets_a_verdict(vm_object: Object, final: bool) -> None:
    kind = vm_object.get("kind")
    if kind in ("VirtualMachine", "VirtualMachineInstance"):
        is_sound(evaluate(vm_object, (*CLUSTER, *FACTS), final=final))


@quick
@given(vm_object=st.sampled_from(VMS), shuffled=st.permutations(FACTS))
def test_the_order_of_the_objects_changes_nothing(vm_object: Object, shuffled: list[Object]) -> None:
    found, expected = (evaluate(vm_object, (*CLUSTER, *facts)).to_dict() for facts in (shuffled, FACTS))
    assert found == expected


missing_facts = st.sets(st.sampled_from(range(len(FACTS)))).map(
    lambda missing: [obj for index, obj in enumerate(FACTS) if index not in missing]
)


@quick
@given(cluster=missing_facts, vm_object=st.sampled_from(VMS), final=st.booleans())
def test_whatever_is_missing_from_a_cluster_there_is_a_verdict(
    cluster: list[Object], vm_object: Object, final: bool
) -> None:
    is_sound(evaluate(vm_object, cluster, final=final))


@quick
@given(vm_object=st.sampled_from(VMS), other=st.sampled_from(VMS), facts=missing_facts)
def test_an_update_that_changes_nothing_is_admitted_and_one_more_reason_is_not_preexisting(
    vm_object: Object, other: Object, facts: list[Object]
) -> None:
    cluster = [*CLUSTER, *facts]
    same = evaluate(vm_object, cluster, old=copy.deepcopy(vm_object), operation="UPDATE")
    assert same.allowed
    assert all(violation.preexisting for violation in same.violations)
    if vm_object["kind"] == other["kind"]:
        found = evaluate(vm_object, cluster, old=other, operation="UPDATE").violations
        before = {(violation.rule, violation.volume) for violation in evaluate(other, cluster).violations}
        new = [violation for violation in found if (violation.rule, violation.volume) not in before]
        assert not any(violation.preexisting for violation in new if violation.volume is None)
