"""What holds for every VM in every cluster, anyone who wrote them."""

import copy
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonpatch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.build import (
    CLUSTER,
    NAMESPACE,
    RWO,
    RWX,
    TRIDENT,
    Object,
    backend,
    claim,
    data_volume,
    data_volume_disk,
    data_volume_template,
    disk,
    host_disk,
    kubevirt,
    node,
    persistent_volume,
    storage_class,
    storage_profile,
    vm,
    vmi,
    volume_request,
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
from tests.build_paths import tagged
from tests.policy.samples import devices, ephemeral, interface
from webhook import Settings, Verdict, evaluate
from webhook.cluster import Snapshot
from webhook.kubevirt.hardware import POD_BRIDGE_ANNOTATION
from webhook.wording import WARNING_LIMIT

quick = settings(max_examples=150)
thorough = settings(quick, max_examples=400)

LABELS = {f"{INSTANCETYPE_DOMAIN}default-{field}": name for field, name in (("instancetype", "i"), ("preference", "p"))}
DEFAULT = {"storageclass.kubevirt.io/is-default-virt-class": "true"}
STORAGE: tuple[Object, ...] = (
    *(obj for obj in CLUSTER if obj["kind"] != "KubeVirt"),
    storage_class("std", annotations=DEFAULT, created="2026-01-01T00:00:00Z", backendType="ontap-nas"),
    storage_class("any", additionalStoragePools="tbe-.*:.*", selector="tier=gold; zone in (a,b)", fsType="ext4"),
    storage_profile("std", ([RWX], "Filesystem"), ([RWO], "Filesystem")),
    storage_profile("san", ([RWX], "Block")),
    claim("bound", RWX, storage_class="any", volume="pv"),
    persistent_volume("pv", "block", backend="u"),
    backend("u", "ontap-san", labels={"tier": "gold"}, storage=[{"labels": {"zone": "a"}}]),
    data_volume("dv", storage={"storageClassName": "san", "accessModes": [RWO]}, contentType="kubevirt"),
)
FACTS: tuple[Object, ...] = (
    *STORAGE,
    kubevirt(
        version="v1.9.0",
        evictionStrategy="LiveMigrate",
        network={"defaultNetworkInterface": "bridge", "binding": {"x": {"migration": {}}}},
        developerConfiguration={"featureGates": ["VGPULiveMigration"], "minimumClusterTSCFrequency": None},
        permittedHostDevices={"mediatedDevices": [{"resourceName": "v/gpu"}]},
    ),
    node("a", tsc=2_000_000_000, labels={"zone": "a"}),
    node("b", labels={"zone": "b"}),
    node("c", unschedulable=True),
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
    tagged(claim("labelled", RWX), labels=LABELS),
    data_source("ds", labels=LABELS, pvc={"name": "labelled"}),
    data_source("snapshots", snapshot={"name": "s", "namespace": NAMESPACE}),
    data_source("chained", dataSource={"name": "ds"}),
    snapshot("s", "bound", "content", labels=LABELS),
    snapshot_content("content", "pv/snap"),
    clone_source("v", "PersistentVolumeClaim", "bound"),
    storage_class("picky", storagePools="tbe-x:.*", sanType="iscsi", excludeStoragePools="other:.*"),
    backend("w", "ontap-nas", "tbe-y", online=True, nasType="smb"),
    persistent_volume("by-hand", "file", backend="w", provisioner=None),
    trident_volume("by-hand", "block", "u"),
    claim("static", RWX, storage_class="any", volume="by-hand"),
    claim("clone", RWX, storage_class="any", **cloned_from("VolumeCloneSource", "v")),
    claim("restored", RWX, storage_class="any", **cloned_from("VolumeSnapshot", "s")),
    claim("picked", RWX, storage_class="picky"),
    tagged(claim("imported", RWX, storage_class="any"), annotations={"trident.netapp.io/importBackendUUID": "u"}),
    data_volume(
        "dv-of-source", storage={"storageClassName": "any"}, sourceRef={"kind": "DataSource", "name": "chained"}
    ),
)
KNOWN = Snapshot(FACTS)
TEMPLATES = [
    data_volume_template("made", storage={}),
    data_volume_template("made-once", pvc={"accessModes": [RWO], "volumeMode": "Block", "storageClassName": "san"}),
    data_volume_template("never-made", storage={"storageClassName": "san", "volumeMode": "Filesystem"}),
    data_volume_template("by-class", storage={"accessModes": [RWX], "volumeName": "v"}, contentType="archive"),
    data_volume_template(
        "of-source",
        storage={"accessModes": [RWX], "volumeMode": "Filesystem"},
        sourceRef={"kind": "DataSource", "name": "snapshots", "namespace": NAMESPACE},
    ),
    data_volume_template(
        "cloned",
        storage={"accessModes": [RWX], "volumeMode": "Block"},
        source={"pvc": {"name": "once", "namespace": NAMESPACE}},
        sourceRef={"kind": "DataSource", "name": "ds", "namespace": NAMESPACE},
    ),
]
CLAIMS = ["good", "good-block", "once", "once-block", "san-fs", "san-fs-once", "bound", "nowhere"]
DATA_VOLUMES = ["dv", "made", "made-once", "never-made", "good"]
VOLUMES = (
    *(disk(name) for name in ("once", "bound", "static", "clone", "restored", "imported", "picked", "labelled")),
    *(
        data_volume_disk(name)
        for name in ("dv", "dv-of-source", "made", "made-once", "by-class", "of-source", "cloned")
    ),
    host_disk("h", shared=False),
    ephemeral("e", "clone"),
)
TERM = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}], "matchFields": []}
FIELDS: Object = {
    "evictionStrategy": "None",
    "architecture": "amd64",
    "nodeSelector": {"zone": "a"},
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [TERM]}}},
    "networks": [{"name": "default", "pod": {}}],
    "domain": {
        "launchSecurity": {"sev": {}, "snp": {}, "tdx": {}},
        "features": {"hyperv": {"reenlightenment": {"enabled": True}}, "hypervPassthrough": {"enabled": True}},
        "cpu": {"features": [{"name": "invtsc", "policy": "require"}]},
        "firmware": {"uuid": "x", "serial": "y"},
        **devices(
            interfaces=[{"name": "default", "bridge": {}, "macAddress": "m", "ports": [{"port": 49152}]}],
            disks=[{"name": "once", "lun": {"reservation": True}}],
            gpus=[{"name": "g", "deviceName": "v/gpu"}],
            hostDevices=[{"name": "h", "deviceName": "x"}],
        ),
    },
}
KEPT = {"instancetypeRef": {"controllerRevisionRef": {"name": "kept"}}}


def infers(volume: str) -> Object:
    return {"inferFromVolume": volume, "inferFromVolumeFailurePolicy": "Ignore"}


MATCHED = {
    "instancetype": {"name": "i", "kind": "VirtualMachineClusterInstancetype", "revisionName": ""},
    "preference": {"name": "p", "kind": "VirtualMachineClusterPreference"},
    "dataVolumeTemplates": TEMPLATES,
}
FULL = tagged(vm(*VOLUMES, spec=MATCHED, **FIELDS), labels={"app": "db", "Name": "x"}, annotations={"note": "n"})
FULL = tagged(FULL, "spec", "template", labels={"app": "db"}, annotations={POD_BRIDGE_ANNOTATION: "true"})
INFERRING = vm(
    *VOLUMES,
    spec={"instancetype": infers("labelled"), "preference": infers("once")},
    status={**KEPT, "created": True, "volumeRequests": [volume_request(disk("good", "hot"))]},
    domain=devices(autoattachPodInterface=True),
)
VMS = (
    FULL,
    INFERRING,
    vm(*VOLUMES, spec=MATCHED),
    vm(spec={"instancetype": {"name": "i", "kind": "VirtualMachineInstancetype"}, "preference": {"revisionName": "x"}}),
    vm(data_volume_disk("of-source", "v"), spec={"preference": infers("v"), "dataVolumeTemplates": TEMPLATES}),
    vm(**interface(masquerade={}, ports=[{"port": 49152}])),
    vmi(*VOLUMES, **FIELDS),
)

WORDS = [RWX, "Block", "Filesystem", TRIDENT, "ontap-san", "once", "good", "LiveMigrate", "True", "", "a\nb"]
KEYS = ["name", "claimName", "volumeMode", "accessModes", "spec", "storage", "pvc", "dataVolume", "hostDisk"]

texts = st.sampled_from(WORDS) | st.text(max_size=5)
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | texts, inner, max_size=3),
    max_leaves=6,
)

sources = (
    st.sampled_from(CLAIMS).map(lambda name: disk(name))
    | st.sampled_from(DATA_VOLUMES).map(lambda name: data_volume_disk(name))
    | st.booleans().map(lambda shared: host_disk("h", shared=shared))
    | st.just({"containerDisk": {"image": "x"}})
)
strategies = st.sampled_from([None, None, "None", "LiveMigrateIfPossible", "LiveMigrate", "External"])
choices = st.builds(
    Settings,
    mode=st.sampled_from(["deny", "deny", "warn"]),
    eviction_strategy=st.sampled_from(["enforce", "enforce", "default", "off"]),
    rules=st.dictionaries(
        st.sampled_from(["claim-known", "host-disk", "san-block"]), st.sampled_from(["deny", "warn"]), max_size=2
    ),
)


@st.composite
def clusters(draw: st.DrawFn) -> list[Object]:
    """Return the storage with zero to two nodes and some default of KubeVirt."""
    default = draw(strategies)
    return [
        *STORAGE,
        *(node(f"n{index}") for index in range(draw(st.integers(0, 2)))),
        *([kubevirt(evictionStrategy=default)] if default else []),
    ]


@st.composite
def vms(draw: st.DrawFn) -> Object:
    """Return a virtual VM or a VMI as a careful user writes it; volumes have names of their own."""
    volumes = [{**source, "name": f"v{index}"} for index, source in enumerate(draw(st.lists(sources, max_size=5)))]
    strategy = draw(strategies)
    fields: Object = {"evictionStrategy": strategy} if strategy else {}
    if draw(st.booleans()):
        return vmi(*volumes, **fields)
    status: Object = {"created": draw(st.booleans())}
    if draw(st.booleans()):
        status["volumeRequests"] = [volume_request({**draw(sources), "name": "hot"})]
    return vm(*volumes, spec={"dataVolumeTemplates": TEMPLATES}, status=status, **fields)


def volumes_of(vm_object: Object) -> list[Object]:
    spec = vm_object["spec"] if vm_object["kind"] == "VirtualMachineInstance" else vm_object["spec"]["template"]["spec"]
    found: list[Object] = spec["volumes"]
    return found


def places(tree: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a tree but its root."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def mutated(draw: st.DrawFn, *samples: Object, by: st.SearchStrategy[Any] = anything) -> Object:
    """Return one of the trees with one to three places replaced by anything."""
    tree = copy.deepcopy(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(list(places(tree))))
        at: Any = tree
        for key in above:
            at = at[key]
        at[last] = draw(by)
    return tree


def is_sound(verdict: Verdict) -> None:
    json.dumps(verdict.to_dict())
    assert all(len(line) <= WARNING_LIMIT for line in verdict.warnings)
    assert verdict.allowed is not any(violation.denies for violation in verdict.violations)


def test_the_samples_violate_every_rule_but_those_about_old_kubevirts_and_missing_pvcs() -> None:
    violated = {violation.rule for vm_object in VMS for violation in evaluate(vm_object, FACTS).violations}
    of_storage = {"ephemeral-claim", "san-block"}
    of_hardware = {"host-devices", "launch-security", "migration-ports", "node-pinned", "pod-network"}
    assert violated >= of_storage | of_hardware


KINDS = st.sampled_from(["VirtualMachine", "VirtualMachineInstance"])


@settings(thorough, max_examples=800)
@given(kind=KINDS, vm_object=mutated(*VMS), old=st.none() | mutated(*VMS), final=st.booleans())
def test_any_json_as_a_vm_gets_a_verdict(kind: str, vm_object: Object, old: Object | None, final: bool) -> None:
    before, operation = ({**old, "kind": kind}, "UPDATE") if old else (None, "CREATE")
    is_sound(evaluate({**vm_object, "kind": kind}, KNOWN, old=before, operation=operation, final=final))


@quick
@given(kind=KINDS, body=st.dictionaries(texts, anything, max_size=4))
def test_anything_at_all_of_a_vms_kind_gets_a_verdict(kind: str, body: Object) -> None:
    is_sound(evaluate({**body, "spec": body.get("spec", body), "kind": kind}, KNOWN))


@thorough
@given(index=st.integers(0, len(FACTS) - 1), data=st.data())
def test_any_json_in_the_cluster_gets_a_verdict(index: int, data: st.DataObject) -> None:
    cluster = Snapshot([*FACTS[:index], data.draw(mutated(FACTS[index])), *FACTS[index + 1 :]])
    for vm_object in VMS:
        is_sound(evaluate(vm_object, cluster))


@quick
@given(vm_object=vms(), more=sources, place=st.integers(0, 5), cluster=clusters(), chosen=choices, final=st.booleans())
def test_one_more_volume_never_removes_a_violation_of_another(
    vm_object: Object, more: Object, place: int, cluster: list[Object], chosen: Settings, final: bool
) -> None:
    def found(obj: Object) -> Counter[tuple[Any, ...]]:
        verdict = evaluate(obj, cluster, settings=chosen, final=final)
        return Counter((v.rule, v.volume, v.message, v.action) for v in verdict.violations if v.volume is not None)

    larger = copy.deepcopy(vm_object)
    volumes_of(larger).insert(place, {**more, "name": "one-more"})
    assert not found(vm_object) - found(larger)


@quick
@given(data=st.data(), vm_object=vms(), cluster=clusters(), chosen=choices, final=st.booleans())
def test_the_order_of_the_volumes_changes_nothing_but_field_paths(
    data: st.DataObject, vm_object: Object, cluster: list[Object], chosen: Settings, final: bool
) -> None:
    def found(obj: Object) -> tuple[Any, ...]:
        verdict = evaluate(obj, cluster, settings=chosen, final=final)
        violations = [{**violation.to_dict(), "field": None} for violation in verdict.violations]
        return sorted(map(repr, violations)), sorted(verdict.warnings), verdict.patch, verdict.allowed

    shuffled = copy.deepcopy(vm_object)
    volumes_of(shuffled)[:] = data.draw(st.permutations(volumes_of(shuffled)))
    assert found(shuffled) == found(vm_object)


@thorough
@given(data=st.data(), vm_object=vms(), cluster=clusters(), chosen=choices)
def test_what_our_patch_makes_is_denied_for_the_same_rules_and_needs_no_more_patching(
    data: st.DataObject, vm_object: Object, cluster: list[Object], chosen: Settings
) -> None:
    old = data.draw(st.none() | vms().filter(lambda other: bool(other["kind"] == vm_object["kind"])))
    how: Any = {"old": old, "settings": chosen, "operation": "UPDATE" if old else "CREATE"}
    first = evaluate(vm_object, cluster, **how)
    patched = jsonpatch.apply_patch(vm_object, first.patch)
    as_it_stands = evaluate(patched, cluster, final=True, **how)
    assert as_it_stands.violations == first.violations
    assert as_it_stands.allowed is first.allowed
    assert as_it_stands.missing_names == []
    assert evaluate(patched, cluster, **how).patch == []


@quick
@given(vm_object=vms(), cluster=clusters(), chosen=choices)
def test_a_vm_that_is_created_is_protected_unless_it_cannot_migrate(
    vm_object: Object, cluster: list[Object], chosen: Settings
) -> None:
    verdict = evaluate(vm_object, cluster, settings=chosen)
    values = [operation["value"] for operation in verdict.eviction_patch]
    unmigratable = {"shared-access", "san-block", "host-disk"} & {violation.rule for violation in verdict.violations}
    if verdict.allowed and unmigratable:
        assert "LiveMigrate" not in values
    elif values:
        assert values == ["LiveMigrate"]


@quick
@given(vm_object=st.sampled_from(VMS), shuffled=st.permutations(FACTS))
def test_the_order_of_the_objects_changes_nothing(vm_object: Object, shuffled: list[Object]) -> None:
    found, expected = (evaluate(vm_object, facts).to_dict() for facts in (shuffled, FACTS))
    assert found == expected


missing_facts = st.sets(st.sampled_from(range(len(FACTS)))).map(
    lambda missing: [obj for index, obj in enumerate(FACTS) if index not in missing]
)


@quick
@given(vm_object=st.sampled_from(VMS), other=st.sampled_from(VMS), cluster=missing_facts, final=st.booleans())
def test_whatever_is_missing_an_update_that_changes_nothing_is_admitted_and_one_more_reason_is_not_preexisting(
    vm_object: Object, other: Object, cluster: list[Object], final: bool
) -> None:
    is_sound(evaluate(other, cluster, final=final))
    same = evaluate(vm_object, cluster, old=copy.deepcopy(vm_object), operation="UPDATE")
    assert same.allowed
    assert all(violation.preexisting for violation in same.violations)
    if vm_object["kind"] == other["kind"]:
        found = evaluate(vm_object, cluster, old=other, operation="UPDATE").violations
        before = {(violation.rule, violation.volume) for violation in evaluate(other, cluster).violations}
        new = [violation for violation in found if (violation.rule, violation.volume) not in before]
        assert not any(violation.preexisting for violation in new if violation.volume is None)
