"""Cluster state as a set of objects."""

from typing import Any

import pytest

from tests.build import RWO, RWX, Object, backend, claim, kubevirt, node, persistent_volume, storage_class
from webhook.cluster import Snapshot
from webhook.cluster.facts import ClaimFacts
from webhook.cluster.resources import (
    BACKENDS,
    CLAIMS,
    CLASSES,
    KUBEVIRTS,
    NODES,
    PERSISTENT_VOLUMES,
    RESOURCES,
    Resource,
)
from webhook.cluster.snapshot import resource_of

WHOLE = [resource for resource in RESOURCES if not resource.metadata_only]


def modes(snapshot: Snapshot, name: str, namespace: str) -> tuple[str, ...] | None:
    found = snapshot.get(CLAIMS, name, namespace)
    return found.access_modes if found else None


def test_a_pvc_is_found_by_namespace_and_name() -> None:
    snapshot = Snapshot([claim("c", RWX, namespace="a"), claim("c", RWO, namespace="b")])
    assert modes(snapshot, "c", "a") == (RWX,)
    assert modes(snapshot, "c", "b") == (RWO,)
    assert modes(snapshot, "c", "elsewhere") is None
    assert modes(snapshot, "d", "a") is None


@pytest.mark.parametrize("metadata", [{"name": "c"}, {"name": "c", "namespace": None}, {"name": "c", "namespace": ""}])
def test_a_pvc_without_namespace_stands_in_default(metadata: Object) -> None:
    assert modes(Snapshot([{**claim("c", RWX), "metadata": metadata}]), "c", "default") == (RWX,)


def test_what_stands_in_no_namespace_is_found_whatever_is_asked() -> None:
    snapshot = Snapshot([{**storage_class("nas"), "metadata": {"name": "nas", "namespace": "odd"}}])
    assert snapshot.get(CLASSES, "nas") is not None
    assert snapshot.get(CLASSES, "nas", "vms") is not None


def test_of_two_objects_of_one_name_the_last_counts() -> None:
    assert modes(Snapshot([claim("c", RWX), claim("c", RWO)]), "c", "vms") == (RWO,)


def test_the_kinds_are_kept_apart() -> None:
    snapshot = Snapshot([node("x"), storage_class("x"), persistent_volume("x"), backend("u", "ontap-nas"), kubevirt()])
    counts = {
        resource.kind: len(snapshot.list(resource)) for resource in (NODES, CLASSES, PERSISTENT_VOLUMES, BACKENDS)
    }
    assert counts == {"Node": 1, "StorageClass": 1, "PersistentVolume": 1, "TridentBackend": 1}
    assert [found.namespace for found in snapshot.list(KUBEVIRTS)] == ["kubevirt"]


def test_an_empty_snapshot_holds_nothing() -> None:
    snapshot = Snapshot()
    assert all(len(snapshot.list(resource)) == 0 for resource in RESOURCES)


@pytest.mark.parametrize("resource", WHOLE, ids=lambda resource: resource.kind)
@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_kind_is_known_by_its_group_in_whatever_version(resource: Resource[object], version: str) -> None:
    api_version = f"{resource.group}/{version}" if resource.group else version
    assert resource_of({"apiVersion": api_version, "kind": resource.kind}) is resource


@pytest.mark.parametrize(
    "obj",
    [
        None,
        "x",
        {},
        {"kind": "Node", "apiVersion": "example.com/v1"},
        {"kind": "StorageClass", "apiVersion": "v1"},
        {"kind": ["Node"], "apiVersion": "v1"},
        {"kind": "Pod", "apiVersion": "v1"},
    ],
    ids=repr,
)
def test_anything_else_is_of_no_known_kind_and_passed_over(obj: Any) -> None:
    assert resource_of(obj) is None
    assert sum(len(Snapshot([obj]).list(resource)) for resource in RESOURCES) == 0


def test_it_answers_at_once_and_has_no_other_source() -> None:
    snapshot = Snapshot([claim("c", RWX)])
    assert snapshot.within(0.001) is snapshot
    assert snapshot.within(5, confirm=True) is snapshot


@pytest.mark.parametrize("spec", [None, [], "x", {}, {"accessModes": "x", "volumeMode": 5}], ids=repr)
def test_facts_of_a_pvc_of_the_wrong_shape_are_those_of_an_empty_one(spec: object) -> None:
    found = ClaimFacts.read({"metadata": None, "spec": spec})
    assert found == ClaimFacts(access_modes=(), volume_mode="Filesystem", storage_class=None, volume_name=None)


def test_access_modes_that_are_no_strings_are_left_out() -> None:
    assert ClaimFacts.read({"spec": {"accessModes": [RWX, 5, None, [RWO]]}}).access_modes == (RWX,)


def test_an_unset_class_is_not_the_empty_one() -> None:
    assert ClaimFacts.read(claim("c", RWX, storage_class=None)).storage_class is None
    assert ClaimFacts.read(claim("c", RWX, storage_class="")).storage_class == ""


@pytest.mark.parametrize(
    ("label", "schedulable"), [("true", True), ("false", False), ("", False), ("True", False), (None, None)]
)
def test_kubevirts_label_of_a_node(label: str | None, schedulable: bool | None) -> None:
    (found,) = Snapshot([node("n", kubevirt_schedulable=label)]).list(NODES)
    assert found.kubevirt_schedulable is schedulable
