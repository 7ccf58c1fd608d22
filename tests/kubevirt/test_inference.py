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
from webhook.cluster import Snapshot
from webhook.cluster.facts import KubeVirtFacts
from webhook.kubevirt.model import VM
from webhook.kubevirt.reader import read_vm

DOMAIN = "instancetype.kubevirt.io/"
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


def from_template(**spec: object) -> Object:
    return inferring(DV, templates=(template(**spec),))


BLANK: Object = {"source": {"blank": {}}}
BARE_SOURCE = data_source("ds")
LABELLED_SOURCE = data_source("ds", labels=LABELS)
OF_IMAGE = data_source("ds", pvc={"name": "c", "namespace": "images"})
OF_SNAPSHOT = data_source("ds", snapshot={"name": "s", "namespace": NAMESPACE})
NO_TEMPLATE = {**inferring(), "spec": {**inferring()["spec"], "template": None}}
SOURCES: dict[str, tuple[Object, bool, tuple[Object, ...]]] = {
    "PVC": (inferring(PVC), True, (CLAIM,)),
    "PVC without labels": (inferring(PVC), False, (BARE_CLAIM,)),
    "missing PVC": (inferring(PVC), False, ()),
    "PVC of another namespace": (inferring(PVC), False, (IMAGE,)),
    "DataVolume": (inferring(DV), True, (tagged(made(**BLANK), labels=LABELS),)),
    "DataVolume without labels, from a PVC": (inferring(DV), True, (made(**FROM_CLAIM), CLAIM)),
    "DataVolume from a PVC elsewhere": (inferring(DV), True, (made(**FROM_IMAGE), IMAGE)),
    "DataVolume from a PVC without labels": (inferring(DV), False, (made(**FROM_CLAIM), BARE_CLAIM)),
    "DataVolume from a snapshot": (inferring(DV), True, (made(**FROM_SNAPSHOT), SNAPSHOT)),
    "DataVolume from a DataSource": (inferring(DV), True, (made(**FROM_DATA_SOURCE), LABELLED_SOURCE)),
    "DataVolume from a URL": (inferring(DV), False, (made(source={"http": {"url": "x"}}), CLAIM)),
    "DataVolume gone, its PVC there": (inferring(data_volume_disk("c", "v")), True, (CLAIM,)),
    "DataVolume gone and no PVC": (inferring(DV), False, ()),
    "template from a PVC": (from_template(**FROM_CLAIM), True, (CLAIM,)),
    "template from a snapshot": (from_template(**FROM_SNAPSHOT), True, (SNAPSHOT,)),
    "template from a snapshot without labels": (from_template(**FROM_SNAPSHOT), False, (BARE_SNAPSHOT, CLAIM)),
    "template from a missing snapshot": (from_template(**FROM_SNAPSHOT), False, ()),
    "template from a DataSource": (from_template(**FROM_DATA_SOURCE), True, (LABELLED_SOURCE,)),
    "template from a DataSource elsewhere": (
        from_template(**FROM_IMAGES_DATA_SOURCE),
        True,
        (data_source("ds", "images", labels=LABELS),),
    ),
    "DataSource without labels, of a PVC": (from_template(**FROM_DATA_SOURCE), True, (OF_IMAGE, IMAGE)),
    "DataSource without labels, of a snapshot": (from_template(**FROM_DATA_SOURCE), True, (OF_SNAPSHOT, SNAPSHOT)),
    "DataSource without labels, of nothing": (from_template(**FROM_DATA_SOURCE), False, (BARE_SOURCE,)),
    "missing DataSource": (from_template(**FROM_DATA_SOURCE), False, ()),
    "another kind of reference": (from_template(sourceRef={"kind": "x", "name": "ds"}), False, (LABELLED_SOURCE,)),
    "template before the DataVolume": (from_template(**BLANK), False, (tagged(made(**BLANK), labels=LABELS),)),
    "volume without a PVC": (inferring({"name": "v", "containerDisk": {}}), False, (CLAIM,)),
    "no such volume": (inferring(disk("c", "other")), False, (CLAIM,)),
    "no template": (NO_TEMPLATE, False, ()),
}


@pytest.mark.parametrize(("vm_object", "expected", "objects"), SOURCES.values(), ids=SOURCES)
def test_the_labels_of_a_volumes_source_name_instancetype_and_preference(
    vm_object: Object, expected: bool, objects: tuple[Object, ...]
) -> None:
    assert is_found(vm_object, *objects) is expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(None, "found"), ("VirtualMachineInstancetype", "here"), ("VirtualMachineClusterInstancetype", "found")],
)
def test_the_label_of_the_kind_says_where_to_look(kind: str | None, expected: str) -> None:
    labels = {**LABELS, **({f"{DOMAIN}default-instancetype-kind": kind} if kind else {})}
    in_namespace = instancetype("i", NAMESPACE, hostDevices=[{"name": "here"}])
    found = read(inferring(PVC), tagged(claim("c", RWX), labels=labels), in_namespace)
    assert [device.name for device in found.hardware.host_devices] == [expected]


def test_a_label_of_the_kind_alone_names_nothing() -> None:
    labels = {f"{DOMAIN}default-instancetype-kind": "VirtualMachineInstancetype"}
    assert not is_found(inferring(PVC), tagged(claim("c", RWX), labels=labels))


def test_what_a_label_names_and_does_not_exist_is_reported_by_that_name() -> None:
    labels = {f"{DOMAIN}default-instancetype": "gone", f"{DOMAIN}default-preference": "gone-too"}
    found = read(inferring(PVC), tagged(claim("c", RWX), labels=labels))
    assert ['"gone' in phrase for phrase in found.not_evaluated] == [True, True]


@pytest.mark.parametrize(("policy", "reported"), [("Ignore", 0), ("Reject", 2), ("", 2), (None, 2)])
def test_a_failure_is_reported_unless_it_is_to_be_ignored(policy: str | None, reported: int) -> None:
    matcher: Object = {} if policy is None else {"inferFromVolumeFailurePolicy": policy}
    assert len(read(inferring(PVC, **matcher), BARE_CLAIM).not_evaluated) == reported
    assert is_found(inferring(PVC, **matcher), CLAIM)


def test_a_name_takes_precedence_over_a_volume() -> None:
    other = instancetype("named", hostDevices=[{"name": "named"}])
    vm_object = vm(PVC, spec={"instancetype": {"name": "named", "inferFromVolume": "v"}})
    assert [device.name for device in read(vm_object, CLAIM, other).hardware.host_devices] == ["named"]


def test_a_vmi_infers_nothing() -> None:
    assert read(vmi(PVC, instancetype={"inferFromVolume": "v"}), CLAIM).hardware.host_devices == ()
