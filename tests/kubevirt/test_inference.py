"""Which instancetype or preference the labels of a volume name."""

import pytest

from tests.build import NAMESPACE, RWX, Object, claim, data_volume, data_volume_disk, data_volume_template, disk, vm
from tests.build_facts import INSTANCETYPE_DOMAIN, data_source, instancetype, preference, snapshot
from tests.build_paths import tagged
from tests.kubevirt.test_instancetypes import matched, read
from tests.policy.samples import table
from tests.test_properties import LABELS

KIND = f"{INSTANCETYPE_DOMAIN}default-instancetype-kind"
FOUND = (instancetype("i", hostDevices=[{"name": "found"}]), preference("p", preferredArchitecture="arm64"))


def inferring(*volumes: Object, templates: tuple[Object, ...] = (), **matcher: str) -> Object:
    found = {"inferFromVolume": "v", **matcher}
    spec = {"instancetype": found, "preference": found, "dataVolumeTemplates": list(templates)}
    return vm(*volumes, spec=spec)


def is_found(vm_object: Object, *objects: Object) -> bool:
    """Say whether both were found, having checked that it is both or none."""
    found = read(vm_object, *FOUND, *objects)
    evaluated = matched(vm_object, *FOUND, *objects) == ["found"]
    assert (found.hardware.architecture == "arm64") is evaluated
    assert len(found.not_evaluated) == (0 if evaluated else 2)
    return evaluated


CLAIM, BARE_CLAIM = tagged(claim("c", RWX), labels=LABELS), claim("c", RWX)
IMAGE = tagged(claim("c", RWX, namespace="images"), labels=LABELS)
SNAPSHOT, BARE_SNAPSHOT = snapshot("s", "c", labels=LABELS), snapshot("s", "c")
SOURCE, IMAGES_SOURCE = (data_source("ds", place, labels=LABELS) for place in (NAMESPACE, "images"))
OF_IMAGE = data_source("ds", pvc={"name": "c", "namespace": "images"})
OF_SNAPSHOT = data_source("ds", snapshot={"name": "s", "namespace": NAMESPACE})
FROM_SOURCE = {"sourceRef": {"kind": "DataSource", "name": "ds"}}
FROM_IMAGES_SOURCE = {"sourceRef": {"kind": "DataSource", "name": "ds", "namespace": "images"}}
INFERRING, OF_DATA_VOLUME = inferring(disk("c", "v")), inferring(data_volume_disk("d", "v"))
TEMPLATED = inferring(data_volume_disk("d", "v"), templates=(data_volume_template("d", source={"blank": {}}),))
LABELLED = tagged(data_volume("d", source={"blank": {}}), labels=LABELS)


def source(kind: str, name: str, **place: str) -> Object:
    return {"source": {kind: {"name": name, **place}}}


VOLUMES: list[tuple[str, tuple[Object, ...], bool]] = [
    # the VM and the objects that are there, whether these name an instancetype and a preference
    ("PVC", (INFERRING, CLAIM), True),
    ("PVC without labels", (INFERRING, BARE_CLAIM), False),
    ("missing PVC", (INFERRING,), False),
    ("PVC of another namespace", (INFERRING, IMAGE), False),
    ("DataVolume", (OF_DATA_VOLUME, LABELLED), True),
    ("DataVolume gone, its PVC there", (inferring(data_volume_disk("c", "v")), CLAIM), True),
    ("DataVolume gone and no PVC", (OF_DATA_VOLUME,), False),
    ("template before the DataVolume", (TEMPLATED, LABELLED), False),
    ("volume without a PVC", (inferring({"name": "v", "containerDisk": {}}), CLAIM), False),
    ("no such volume", (inferring(disk("c", "other")), CLAIM), False),
    ("no template", ({**INFERRING, "spec": {**INFERRING["spec"], "template": None}},), False),
    ("a label of the kind alone", (INFERRING, tagged(BARE_CLAIM, labels={KIND: "VirtualMachineInstancetype"})), False),
]


@table(VOLUMES, "objects expected")
def test_the_labels_of_a_volume_name_instancetype_and_preference(objects: tuple[Object, ...], expected: bool) -> None:
    assert is_found(*objects) is expected


SOURCES: list[tuple[str, Object, tuple[Object, ...], bool]] = [
    ("PVC", source("pvc", "c"), (CLAIM,), True),
    ("PVC elsewhere", source("pvc", "c", namespace="images"), (IMAGE,), True),
    ("PVC without labels", source("pvc", "c"), (BARE_CLAIM,), False),
    ("URL", {"source": {"http": {"url": "x"}}}, (CLAIM,), False),
    ("snapshot", source("snapshot", "s"), (SNAPSHOT,), True),
    ("snapshot without labels", source("snapshot", "s"), (BARE_SNAPSHOT, CLAIM), False),
    ("missing snapshot", source("snapshot", "s"), (), False),
    ("DataSource", FROM_SOURCE, (SOURCE,), True),
    ("DataSource elsewhere", FROM_IMAGES_SOURCE, (IMAGES_SOURCE,), True),
    ("DataSource without labels, of a PVC", FROM_SOURCE, (OF_IMAGE, IMAGE), True),
    ("DataSource without labels, of a snapshot", FROM_SOURCE, (OF_SNAPSHOT, SNAPSHOT), True),
    ("DataSource without labels, of nothing", FROM_SOURCE, (data_source("ds"),), False),
    ("missing DataSource", FROM_SOURCE, (), False),
    ("another kind of reference", {"sourceRef": {"kind": "x", "name": "ds"}}, (SOURCE,), False),
]


@table(SOURCES, "spec objects expected")
def test_the_labels_of_the_source_of_a_data_volume_or_template_name_them(
    spec: Object, objects: tuple[Object, ...], expected: bool
) -> None:
    assert is_found(OF_DATA_VOLUME, data_volume("d", **spec), *objects) is expected
    templates = (data_volume_template("d", **spec),)
    assert is_found(inferring(data_volume_disk("d", "v"), templates=templates), *objects) is expected


@pytest.mark.parametrize(("kind", "expected"), [("Instancetype", "here"), ("ClusterInstancetype", "found")])
def test_the_label_of_the_kind_says_where_to_look(kind: str, expected: str) -> None:
    labelled = tagged(CLAIM, labels={KIND: f"VirtualMachine{kind}"})
    here = instancetype("i", NAMESPACE, hostDevices=[{"name": "here"}])
    assert matched(INFERRING, *FOUND, labelled, here) == [expected]


def test_what_a_label_names_and_does_not_exist_is_reported_by_that_name() -> None:
    found = read(INFERRING, *FOUND, tagged(BARE_CLAIM, labels=dict.fromkeys(LABELS, "gone")))
    assert ['"gone"' in phrase for phrase in found.not_evaluated] == [True, True]


@pytest.mark.parametrize(("policy", "reported"), [("Ignore", 0), ("Reject", 2), ("", 2), (None, 2)])
def test_a_failure_is_reported_unless_it_is_to_be_ignored(policy: str | None, reported: int) -> None:
    matcher: Object = {} if policy is None else {"inferFromVolumeFailurePolicy": policy}
    vm_object = inferring(disk("c", "v"), **matcher)
    assert len(read(vm_object, *FOUND, BARE_CLAIM).not_evaluated) == reported
    assert is_found(vm_object, CLAIM)


def test_a_name_takes_precedence_over_a_volume() -> None:
    other = instancetype("named", hostDevices=[{"name": "named"}])
    vm_object = vm(disk("c", "v"), spec={"instancetype": {"name": "named", "inferFromVolume": "v"}})
    assert matched(vm_object, *FOUND, CLAIM, other) == ["named"]
