"""What the engine reads of an object is what the conditions compare, except a few paths that cannot add anything.

The objects of every oracle, of recorded traffic and of the examples record the paths that are read of them.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings

from tests import test_kubevirt_oracle as oracle
from tests.admission.client import KUBEVIRT
from tests.admission.test_traffic_paths import fixed_objects
from tests.admission.test_traffic_paths import recorded as recorded_reviews
from tests.build import CLUSTER, Object, data_volume_disk, data_volume_template, disk, host_disk, vm, volume_request
from tests.build_paths import pool, replica_set
from tests.demo import EXAMPLES
from tests.kubevirt_reasons import Instance
from tests.test_kubevirt_random import instances
from tests.test_properties import clusters, quick, vms
from webhook import Settings, evaluate
from webhook.admission.compared import DECLARED, REQUESTS, Path
from webhook.admission.handler import mutate, validate
from webhook.admission.review import parse_review
from webhook.admission.scope import COMPARED, KIND_OF_RESOURCE
from webhook.cluster import Snapshot
from webhook.cluster.files import read_path
from webhook.kubevirt.restores import RESTORED_BY
from webhook.names import REASON, UNVERIFIED
from webhook.objects import at

BESIDE: dict[str, list[Path]] = {
    "no update can change it": [
        ("kind",),
        *(("metadata", key) for key in ("name", "generateName", "namespace", "deletionTimestamp")),
    ],
    "it decides on whose behalf KubeVirt writes; on an update the old object's counts": [
        ("metadata", "ownerReferences"),
        ("metadata", "annotations", RESTORED_BY),
    ],
    "only our own labels count, and the reason beside them, whose change is sent": [
        ("metadata", "labels"),
        ("metadata", "annotations", REASON),
    ],
    "all keys are looked through for those that are ours": [
        ("*",),
        ("metadata", "*"),
        ("metadata", "annotations", "*"),
    ],
    "it says that the VM runs, which withholds a patch and adds nothing": [("status", "created")],
    "KubeVirt writes there what it moves, which only makes a violation pre-existing": [
        ("status", "migratedVolumes"),
        ("status", "volumeUpdateState"),
    ],
    "KubeVirt records there which instancetype and preference it evaluated": [
        ("status", "instancetypeRef"),
        ("status", "preferenceRef"),
    ],
    "of a VMI it counts at the creation, which is sent": [("metadata", "annotations", UNVERIFIED)],
}
"""What is read and not compared, with the reason. Of a VMI's spec KubeVirt's own accounts alone change the rest."""

ONLY_ELSEWHERE = (
    ("spec", "template"),
    ("spec", "virtualMachineTemplate"),
    ("spec", "virtualMachineTemplate", "status"),
    REQUESTS,
)
"""Looked for in every kind, to find nothing where a kind has no such place."""
COMPARED_BY_KIND = {kind: COMPARED[(*which, "")] for which, kind in KIND_OF_RESOURCE.items()}


class Recorded(dict[str, Any]):
    """A mapping that records which of its keys somebody asks for."""

    def __init__(self, value: Object, path: Path, read: set[Path]) -> None:
        super().__init__({key: recorded(found, (*path, key), read) for key, found in value.items()})
        self._path, self._read = path, read

    @staticmethod
    def _noting(name: str) -> Callable[..., Any]:
        def method(self: "Recorded", *key: Any) -> Any:
            self._read.add((*self._path, str(key[0]) if key else "*"))
            return getattr(dict, name)(self, *key)

        return method

    __getitem__, __contains__, get = _noting("__getitem__"), _noting("__contains__"), _noting("get")
    items, keys, values = _noting("items"), _noting("keys"), _noting("values")


def recorded(value: Any, path: Path, read: set[Path]) -> Any:
    if isinstance(value, dict):
        return Recorded(value, path, read)
    return [recorded(item, path, read) for item in value] if isinstance(value, list) else value


class Reader:
    """Evaluates objects, and keeps what was read of each kind."""

    def __init__(self) -> None:
        self.read: dict[str, set[Path]] = {kind: set() for kind in COMPARED_BY_KIND}

    def evaluate(self, obj: Object, cluster: Iterable[Object]) -> None:
        kind, objects = obj["kind"], list(cluster)
        for operation, final in (("CREATE", False), ("UPDATE", False), ("UPDATE", True)):
            old = self._recorded(kind, obj) if operation == "UPDATE" else None
            evaluate(self._recorded(kind, obj), objects, old, operation=operation, final=final)

    def answer(self, review: Object, cluster: Snapshot) -> None:
        request = review["request"]
        kind = KIND_OF_RESOURCE.get((request["resource"]["group"], request["resource"]["resource"]))
        if kind is not None:
            found = {key: self._recorded(kind, request[key]) for key in ("object", "oldObject") if request.get(key)}
            parsed = parse_review({**review, "request": {**request, **found}})
            for side in (mutate, validate):
                side(parsed, cluster, Settings(), 5.0)

    def _recorded(self, kind: str, obj: Object) -> Any:
        return recorded(obj, (), self.read[kind])

    @property
    def unexpected(self) -> set[tuple[str, str]]:
        """What was read, is not compared and not in BESIDE."""
        read = [(kind, path) for kind, paths in self.read.items() for path in paths]
        return {(kind, ".".join(path)) for kind, path in read if not is_expected(kind, path)}


def is_expected(kind: str, path: Path) -> bool:
    compared, beside = COMPARED_BY_KIND[kind], [path for paths in BESIDE.values() for path in paths]
    paths = [*((*compared.template, *path) for path in (*compared.parts, *compared.lists)), *compared.others, *beside]
    if kind == "VirtualMachine":
        paths.append(REQUESTS)
    if kind == "VirtualMachineInstance":
        paths += [("spec", *declared.split(".")) for declared in DECLARED]
    return path in ONLY_ELSEWHERE or any(found[: len(path)] == path[: len(found)] for found in paths)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


INFERRED = {"inferFromVolume": "root", "inferFromVolumeFailurePolicy": "Ignore"}
SPEC = {
    "instancetype": INFERRED,
    "preference": {"name": "none"},
    "dataVolumeTemplates": [data_volume_template("made", storage={"storageClassName": "nas"})],
}
STATUS = {"created": True, "volumeRequests": [volume_request(disk("once", "hot"))]}
WITH_EVERYTHING = [
    vm(disk("good", "root"), data_volume_disk("made"), host_disk("h"), spec=SPEC, status=STATUS),
    pool(disk("good", "root"), data_volume_disk("made"), spec=SPEC),
    replica_set(disk("good"), nodeSelector={"a": "b"}),
]


def as_shapes(instance: Instance) -> Iterator[Object]:
    yield oracle.as_instance(instance)
    vm_object = oracle.as_template(instance)
    yield vm_object
    yield {**vm_object, "kind": "VirtualMachineInstanceReplicaSet"}
    template = {"metadata": {}, "spec": vm_object["spec"]}
    of_pool = {"apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool"}
    yield {**vm_object, **of_pool, "spec": {"virtualMachineTemplate": template}}


def test_of_handwritten_cases_and_examples_nothing_else_and_every_declared_path_is_read(reader: Reader) -> None:
    """A path that nobody reads must not be declared: its change would be denied in an outage for no reason."""
    for obj in WITH_EVERYTHING:
        reader.evaluate(obj, (KUBEVIRT, *CLUSTER))
    for _, spec, _, more in oracle.EXCERPT:
        instance = Instance(spec, (1, 9), **more)
        for obj in as_shapes(instance):
            reader.evaluate(obj, oracle.cluster_of(instance))
    for kind, compared in COMPARED_BY_KIND.items():
        read, template = {".".join(path) for path in reader.read[kind]}, ".".join(compared.template)
        assert [path for path in DECLARED if f"{template}.{path}" not in read] == []
    cluster = list(read_path(EXAMPLES / "cluster"))
    for obj in read_path(EXAMPLES / "vms"):
        if obj["kind"] in COMPARED_BY_KIND:
            reader.evaluate(obj, cluster)
    assert reader.unexpected == set()


@settings(quick, max_examples=50)
@given(instance=instances(), vm_object=vms(), cluster=clusters())
def test_of_random_cases_nothing_else_is_read(instance: Instance, vm_object: Object, cluster: list[Object]) -> None:
    found = Reader()
    found.evaluate(vm_object, cluster)
    for obj in as_shapes(instance):
        found.evaluate(obj, oracle.cluster_of(instance))
    assert found.unexpected == set()


def test_of_kubevirts_oracles_nothing_else_is_read(reader: Reader) -> None:
    newest = [(row, 2) for row in oracle.verdicts() if row[1].version == (1, 9)]
    for (_, instance, _), shapes in [*newest, *((row, 1) for row in oracle.cases())]:
        for obj in islice(as_shapes(instance), shapes):
            reader.evaluate(obj, oracle.cluster_of(instance))
    assert reader.unexpected == set()


def test_of_recorded_traffic_nothing_else_is_read(reader: Reader) -> None:
    cluster = Snapshot(fixed_objects())
    for _, line in recorded_reviews("mutating", "validating"):
        reader.answer(line["review"], cluster)
    assert reader.unexpected == set()


def test_a_path_that_nobody_compares_is_noticed() -> None:
    """Else the tests above would prove nothing."""
    found = Reader()
    spec = found._recorded("VirtualMachine", vm(disk("good")))
    at(spec, "spec", "template", "spec", "domain", "memory", "guest")
    assert found.unexpected == {("VirtualMachine", "spec.template.spec.domain.memory")}
