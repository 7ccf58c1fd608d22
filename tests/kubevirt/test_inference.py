"""Which instancetype or preference the labels of a volume name."""

import pytest

from tests.build import (
    NAMESPACE,
    RWX,
    Object,
    claim,
    data_volume,
    data_volume_disk,
    data_volume_template,
    disk,
    vm,
    vmi,
)
from tests.build_facts import data_source, instancetype, preference, snapshot
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt import VM, read_vm

DOMAIN = "instancetype.kubevirt.io/"
LABELS = {f"{DOMAIN}default-instancetype": "i", f"{DOMAIN}default-preference": "p"}
FOUND = (instancetype("i", hostDevices=[{"name": "found"}]), preference("p", preferredArchitecture="arm64"))


def labelled(obj: Object, labels: Object | None = None) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "labels": LABELS if labels is None else labels}}


def inferring(*volumes: Object, templates: tuple[Object, ...] = (), volume: str = "v", **matcher: str) -> Object:
    found = {"inferFromVolume": volume, **matcher}
    spec = {"instancetype": found, "preference": found, "dataVolumeTemplates": list(templates)}
    return vm(*volumes, spec=spec)


def read(vm_object: Object, *objects: Object) -> VM:
    return read_vm(vm_object, Snapshot([*FOUND, *objects]), KubeVirtFacts())


def is_found(vm_object: Object, *objects: Object) -> bool:
    """Say whether both were found, having checked that it is both or none."""
    found = read(vm_object, *objects)
    evaluated = [device.name for device in found.hardware.host_devices] == ["found"]
    assert (found.hardware.architecture == "arm64") is evaluated
    assert len(found.not_evaluated) == (0 if evaluated else 2)
    return evaluated


CLAIM, BARE_CLAIM = labelled(claim("c", RWX)), claim("c", RWX)
IMAGE = labelled(claim("c", RWX, namespace="images"))
SNAPSHOT, BARE_SNAPSHOT = snapshot("s", "c", labels=LABELS), snapshot("s", "c")
FROM_CLAIM = {"source": {"pvc": {"name": "c"}}}
FROM_IMAGE = {"source": {"pvc": {"name": "c", "namespace": "images"}}}
FROM_SNAPSHOT = {"source": {"snapshot": {"name": "s"}}}
FROM_DATA_SOURCE = {"sourceRef": {"kind": "DataSource", "name": "ds"}}
FROM_IMAGES_DATA_SOURCE = {"sourceRef": {"kind": "DataSource", "name": "ds", "namespace": "images"}}
PVC = disk("c", "v")
DV = data_volume_disk("d", "v")


def made(**spec: object) -> Object:
    return data_volume("d", **spec)


def template(**spec: object) -> Object:
    return data_volume_template("d", **spec)


VARIANTS: list[tuple[str, Object, bool]] = [
    # what leads where, VM, found; the objects stand below under the same name
    ("claim", inferring(PVC), True),
    ("PVC without labels", inferring(PVC), False),
    ("missing PVC", inferring(PVC), False),
    ("PVC of another namespace", inferring(PVC), False),
    ("DataVolume", inferring(DV), True),
    ("DataVolume without labels, from a PVC", inferring(DV), True),
    ("DataVolume from a PVC elsewhere", inferring(DV), True),
    ("DataVolume from a PVC without labels", inferring(DV), False),
    ("DataVolume from a snapshot", inferring(DV), True),
    ("DataVolume from a DataSource", inferring(DV), True),
    ("DataVolume from a URL", inferring(DV), False),
    ("DataVolume gone, its PVC there", inferring(data_volume_disk("c", "v")), True),
    ("DataVolume gone and no PVC", inferring(DV), False),
    ("template from a PVC", inferring(DV, templates=(template(**FROM_CLAIM),)), True),
    ("template from a snapshot", inferring(DV, templates=(template(**FROM_SNAPSHOT),)), True),
    ("template from a snapshot without labels", inferring(DV, templates=(template(**FROM_SNAPSHOT),)), False),
    ("template from a missing snapshot", inferring(DV, templates=(template(**FROM_SNAPSHOT),)), False),
    ("template from a DataSource", inferring(DV, templates=(template(**FROM_DATA_SOURCE),)), True),
    ("template from a DataSource elsewhere", inferring(DV, templates=(template(**FROM_IMAGES_DATA_SOURCE),)), True),
    ("DataSource without labels, of a PVC", inferring(DV, templates=(template(**FROM_DATA_SOURCE),)), True),
    ("DataSource without labels, of a snapshot", inferring(DV, templates=(template(**FROM_DATA_SOURCE),)), True),
    ("DataSource without labels, of nothing", inferring(DV, templates=(template(**FROM_DATA_SOURCE),)), False),
    ("missing DataSource", inferring(DV, templates=(template(**FROM_DATA_SOURCE),)), False),
    (
        "template of another kind of reference",
        inferring(DV, templates=(template(sourceRef={"kind": "x", "name": "ds"}),)),
        False,
    ),
    ("template goes before the DataVolume", inferring(DV, templates=(template(source={"blank": {}}),)), False),
    ("volume without a PVC", inferring({"name": "v", "containerDisk": {}}), False),
    ("no such volume", inferring(disk("c", "other")), False),
    ("volumes of the wrong shape", {**inferring(), "spec": {**inferring()["spec"], "template": None}}, False),
]
OBJECTS: dict[str, tuple[Object, ...]] = {
    "claim": (CLAIM,),
    "PVC without labels": (BARE_CLAIM,),
    "PVC of another namespace": (IMAGE,),
    "DataVolume": (labelled(made(source={"blank": {}})),),
    "DataVolume without labels, from a PVC": (made(**FROM_CLAIM), CLAIM),
    "DataVolume from a PVC elsewhere": (made(**FROM_IMAGE), IMAGE),
    "DataVolume from a PVC without labels": (made(**FROM_CLAIM), BARE_CLAIM),
    "DataVolume from a snapshot": (made(**FROM_SNAPSHOT), SNAPSHOT),
    "DataVolume from a DataSource": (made(**FROM_DATA_SOURCE), data_source("ds", labels=LABELS)),
    "DataVolume from a URL": (made(source={"http": {"url": "x"}}), CLAIM),
    "DataVolume gone, its PVC there": (CLAIM,),
    "template from a PVC": (CLAIM,),
    "template from a snapshot": (SNAPSHOT,),
    "template from a snapshot without labels": (BARE_SNAPSHOT, CLAIM),
    "template from a DataSource": (data_source("ds", labels=LABELS),),
    "template from a DataSource elsewhere": (data_source("ds", "images", labels=LABELS),),
    "DataSource without labels, of a PVC": (data_source("ds", pvc={"name": "c", "namespace": "images"}), IMAGE),
    "DataSource without labels, of a snapshot": (
        data_source("ds", snapshot={"name": "s", "namespace": NAMESPACE}),
        SNAPSHOT,
    ),
    "DataSource without labels, of nothing": (data_source("ds"),),
    "template of another kind of reference": (data_source("ds", labels=LABELS),),
    "template goes before the DataVolume": (labelled(made(source={"blank": {}})),),
    "volume without a PVC": (CLAIM,),
    "no such volume": (CLAIM,),
}


@pytest.mark.parametrize(("variant", "vm_object", "expected"), VARIANTS, ids=[row[0] for row in VARIANTS])
def test_a_volume_leads_to_instancetype_and_preference(variant: str, vm_object: Object, expected: bool) -> None:
    assert is_found(vm_object, *OBJECTS.get(variant, ())) is expected


def test_every_object_belongs_to_a_way() -> None:
    assert set(OBJECTS) <= {row[0] for row in VARIANTS}


KINDS = [
    # the label of the kind, found in the namespace
    (None, False),
    ("VirtualMachineInstancetype", True),
    ("VirtualMachineClusterInstancetype", False),
]


@pytest.mark.parametrize(("kind", "here"), KINDS)
def test_the_label_of_the_kind_says_where_to_look(kind: str | None, here: bool) -> None:
    labels = {**LABELS, **({f"{DOMAIN}default-instancetype-kind": kind} if kind else {})}
    in_namespace = instancetype("i", NAMESPACE, hostDevices=[{"name": "here"}])
    found = read(inferring(PVC), labelled(claim("c", RWX), labels), in_namespace)
    assert [device.name for device in found.hardware.host_devices] == ["here" if here else "found"]


def test_a_label_of_the_kind_alone_names_nothing() -> None:
    labels = {f"{DOMAIN}default-instancetype-kind": "VirtualMachineInstancetype"}
    assert not is_found(inferring(PVC), labelled(claim("c", RWX), labels))


def test_a_label_that_names_what_is_not_there_is_told_by_that_name() -> None:
    labels = {f"{DOMAIN}default-instancetype": "gone", f"{DOMAIN}default-preference": "gone-too"}
    found = read(inferring(PVC), labelled(claim("c", RWX), labels))
    assert ['"gone' in phrase for phrase in found.not_evaluated] == [True, True]


@pytest.mark.parametrize(("policy", "reported"), [("Ignore", 0), ("Reject", 2), ("", 2), (None, 2)])
def test_a_failure_is_told_unless_it_is_to_be_ignored(policy: str | None, reported: int) -> None:
    matcher: Object = {} if policy is None else {"inferFromVolumeFailurePolicy": policy}
    assert len(read(inferring(PVC, **matcher), BARE_CLAIM).not_evaluated) == reported


def test_a_failure_to_ignore_is_none_where_the_labels_are_there() -> None:
    assert is_found(inferring(PVC, inferFromVolumeFailurePolicy="Ignore"), CLAIM)


def test_a_name_goes_before_what_a_volume_says() -> None:
    other = instancetype("named", hostDevices=[{"name": "named"}])
    vm_object = vm(PVC, spec={"instancetype": {"name": "named", "inferFromVolume": "v"}})
    assert [device.name for device in read(vm_object, CLAIM, other).hardware.host_devices] == ["named"]


def test_an_vmi_infers_nothing() -> None:
    vm_object = vmi(PVC, instancetype={"inferFromVolume": "v"})
    assert read(vm_object, CLAIM).hardware.host_devices == ()
