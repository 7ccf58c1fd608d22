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
from tests.build_paths import tagged
from tests.policy.samples import table
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt.model import VM
from webhook.kubevirt.reader import read_vm

DOMAIN = "instancetype.kubevirt.io/"
KIND = f"{DOMAIN}default-instancetype-kind"
LABELS = {f"{DOMAIN}default-instancetype": "i", f"{DOMAIN}default-preference": "p"}
FOUND = (instancetype("i", hostDevices=[{"name": "found"}]), preference("p", preferredArchitecture="arm64"))


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


CLAIM, BARE_CLAIM = tagged(claim("c", RWX), labels=LABELS), claim("c", RWX)
IMAGE = tagged(claim("c", RWX, namespace="images"), labels=LABELS)
SNAPSHOT, BARE_SNAPSHOT = snapshot("s", "c", labels=LABELS), snapshot("s", "c")
SOURCE, IMAGES_SOURCE = (data_source("ds", place, labels=LABELS) for place in (NAMESPACE, "images"))
OF_IMAGE = data_source("ds", pvc={"name": "c", "namespace": "images"})
OF_SNAPSHOT = data_source("ds", snapshot={"name": "s", "namespace": NAMESPACE})
FROM_CLAIM = {"source": {"pvc": {"name": "c"}}}
FROM_SNAPSHOT = {"source": {"snapshot": {"name": "s"}}}
FROM_SOURCE = {"sourceRef": {"kind": "DataSource", "name": "ds"}}
FROM_IMAGES_SOURCE = {"sourceRef": {"kind": "DataSource", "name": "ds", "namespace": "images"}}
BLANK: Object = {"source": {"blank": {}}}
LABELLED = tagged(data_volume("d", **BLANK), labels=LABELS)


def made(*objects: Object, **spec: object) -> tuple[Object, ...]:
    """Return a VM that infers from a DataVolume, the DataVolume, and other objects."""
    return inferring(data_volume_disk("d", "v")), data_volume("d", **spec), *objects


def templated(*objects: Object, **spec: object) -> tuple[Object, ...]:
    """Return a VM that infers from a template, and other objects."""
    return inferring(data_volume_disk("d", "v"), templates=(data_volume_template("d", **spec),)), *objects


INFERRING = inferring(disk("c", "v"))
SOURCES: list[tuple[str, tuple[Object, ...], bool]] = [
    # the VM and the objects that are there, whether these name an instancetype and a preference
    ("PVC", (INFERRING, CLAIM), True),
    ("PVC without labels", (INFERRING, BARE_CLAIM), False),
    ("missing PVC", (INFERRING,), False),
    ("PVC of another namespace", (INFERRING, IMAGE), False),
    ("DataVolume", (inferring(data_volume_disk("d", "v")), LABELLED), True),
    ("DataVolume without labels, from a PVC", made(CLAIM, **FROM_CLAIM), True),
    ("DataVolume from a PVC elsewhere", made(IMAGE, source={"pvc": {"name": "c", "namespace": "images"}}), True),
    ("DataVolume from a PVC without labels", made(BARE_CLAIM, **FROM_CLAIM), False),
    ("DataVolume from a snapshot", made(SNAPSHOT, **FROM_SNAPSHOT), True),
    ("DataVolume from a DataSource", made(SOURCE, **FROM_SOURCE), True),
    ("DataVolume from a URL", made(CLAIM, source={"http": {"url": "x"}}), False),
    ("DataVolume gone, its PVC there", (inferring(data_volume_disk("c", "v")), CLAIM), True),
    ("DataVolume gone and no PVC", (inferring(data_volume_disk("c", "v")),), False),
    ("template from a PVC", templated(CLAIM, **FROM_CLAIM), True),
    ("template from a snapshot", templated(SNAPSHOT, **FROM_SNAPSHOT), True),
    ("template from a snapshot without labels", templated(BARE_SNAPSHOT, CLAIM, **FROM_SNAPSHOT), False),
    ("template from a missing snapshot", templated(**FROM_SNAPSHOT), False),
    ("template from a DataSource", templated(SOURCE, **FROM_SOURCE), True),
    ("template from a DataSource elsewhere", templated(IMAGES_SOURCE, **FROM_IMAGES_SOURCE), True),
    ("DataSource without labels, of a PVC", templated(OF_IMAGE, IMAGE, **FROM_SOURCE), True),
    ("DataSource without labels, of a snapshot", templated(OF_SNAPSHOT, SNAPSHOT, **FROM_SOURCE), True),
    ("DataSource without labels, of nothing", templated(data_source("ds"), **FROM_SOURCE), False),
    ("missing DataSource", templated(**FROM_SOURCE), False),
    ("another kind of reference", templated(SOURCE, sourceRef={"kind": "x", "name": "ds"}), False),
    ("template before the DataVolume", templated(LABELLED, **BLANK), False),
    ("volume without a PVC", (inferring({"name": "v", "containerDisk": {}}), CLAIM), False),
    ("no such volume", (inferring(disk("c", "other")), CLAIM), False),
    ("no template", ({**inferring(), "spec": {**inferring()["spec"], "template": None}},), False),
    ("a label of the kind alone", (INFERRING, tagged(BARE_CLAIM, labels={KIND: "VirtualMachineInstancetype"})), False),
]


@table(SOURCES, "objects expected")
def test_the_labels_of_a_volumes_source_name_instancetype_and_preference(
    objects: tuple[Object, ...], expected: bool
) -> None:
    assert is_found(*objects) is expected


@pytest.mark.parametrize(("kind", "expected"), [("Instancetype", "here"), ("ClusterInstancetype", "found")])
def test_the_label_of_the_kind_says_where_to_look(kind: str, expected: str) -> None:
    labelled = tagged(CLAIM, labels={KIND: f"VirtualMachine{kind}"})
    found = read(INFERRING, labelled, instancetype("i", NAMESPACE, hostDevices=[{"name": "here"}]))
    assert [device.name for device in found.hardware.host_devices] == [expected]


def test_what_a_label_names_and_does_not_exist_is_reported_by_that_name() -> None:
    labels = {f"{DOMAIN}default-instancetype": "gone", f"{DOMAIN}default-preference": "gone-too"}
    found = read(INFERRING, tagged(BARE_CLAIM, labels=labels))
    assert ['"gone' in phrase for phrase in found.not_evaluated] == [True, True]


@pytest.mark.parametrize(("policy", "reported"), [("Ignore", 0), ("Reject", 2), ("", 2), (None, 2)])
def test_a_failure_is_reported_unless_it_is_to_be_ignored(policy: str | None, reported: int) -> None:
    matcher: Object = {} if policy is None else {"inferFromVolumeFailurePolicy": policy}
    vm_object = inferring(disk("c", "v"), **matcher)
    assert len(read(vm_object, BARE_CLAIM).not_evaluated) == reported
    assert is_found(vm_object, CLAIM)


def test_a_name_takes_precedence_over_a_volume() -> None:
    other = instancetype("named", hostDevices=[{"name": "named"}])
    vm_object = vm(disk("c", "v"), spec={"instancetype": {"name": "named", "inferFromVolume": "v"}})
    assert [device.name for device in read(vm_object, CLAIM, other).hardware.host_devices] == ["named"]


def test_a_vmi_infers_nothing() -> None:
    assert read(vmi(disk("c", "v"), instancetype={"inferFromVolume": "v"}), CLAIM).hardware.host_devices == ()
