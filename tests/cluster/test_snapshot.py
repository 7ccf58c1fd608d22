"""Cluster state as a set of objects."""

from typing import Any

import pytest

from tests.build import RWO, RWX, Object, backend, claim, kubevirt, node, persistent_volume, storage_class
from webhook.cluster import Snapshot
from webhook.cluster.facts import ClaimFacts
from webhook.cluster.resources import BACKENDS, CLAIMS, CLASSES, KUBEVIRTS, NODES, PERSISTENT_VOLUMES, RESOURCES
from webhook.cluster.snapshot import resource_of


def modes(snapshot: Snapshot, name: str, namespace: str) -> tuple[str, ...] | None:
    found = snapshot.get(CLAIMS, name, namespace)
    return found.access_modes if found else None


def test_a_pvc_is_found_by_namespace_and_name_and_of_two_with_one_name_the_last_counts() -> None:
    assert modes(Snapshot([claim("c", RWX), claim("c", RWO)]), "c", "vms") == (RWO,)
    snapshot = Snapshot([claim("c", RWX, namespace="a"), claim("c", RWO, namespace="b")])
    assert (modes(snapshot, "c", "a"), modes(snapshot, "c", "b")) == ((RWX,), (RWO,))
    assert (modes(snapshot, "c", "elsewhere"), modes(snapshot, "d", "a")) == (None, None)


@pytest.mark.parametrize("place", [{}, {"namespace": None}, {"namespace": ""}], ids=repr)
def test_a_pvc_without_namespace_belongs_to_default_and_a_kind_without_namespaces_needs_none(place: Object) -> None:
    assert modes(Snapshot([{**claim("c", RWX), "metadata": {"name": "c", **place}}]), "c", "default") == (RWX,)
    snapshot = Snapshot([{**storage_class("nas"), "metadata": {"name": "nas", "namespace": "odd"}}])
    assert None not in (snapshot.get(CLASSES, "nas"), snapshot.get(CLASSES, "nas", "vms"))


def test_the_kinds_are_kept_apart() -> None:
    snapshot = Snapshot([node("x"), storage_class("x"), persistent_volume("x"), backend("u", "ontap-nas"), kubevirt()])
    known = {resource.kind: len(snapshot.list(resource)) for resource in RESOURCES if snapshot.list(resource)}
    assert known == {found.kind: 1 for found in (NODES, CLASSES, PERSISTENT_VOLUMES, BACKENDS, KUBEVIRTS)}
    assert [found.namespace for found in snapshot.list(KUBEVIRTS)] == ["kubevirt"]


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_kind_is_known_by_its_group_in_any_version(version: str) -> None:
    for resource in RESOURCES:
        if not resource.metadata_only:
            api_version = f"{resource.group}/{version}" if resource.group else version
            assert resource_of({"apiVersion": api_version, "kind": resource.kind}) is resource


UNKNOWN: list[Any] = [
    *(None, "x", {}, {"kind": "Node"}, {"apiVersion": "example.com/v1", "kind": "Node"}),
    *({"apiVersion": "v1", "kind": kind} for kind in (["Node"], "Pod", "StorageClass")),
]


@pytest.mark.parametrize("obj", UNKNOWN, ids=repr)
def test_an_object_of_an_unknown_kind_is_ignored(obj: Any) -> None:
    assert resource_of(obj) is None
    assert sum(len(Snapshot([obj]).list(resource)) for resource in RESOURCES) == 0


def test_a_snapshot_answers_at_once_and_has_no_other_source() -> None:
    snapshot = Snapshot([claim("c", RWX)])
    assert snapshot.within(0.001) is snapshot
    assert snapshot.within(5, confirm=True) is snapshot


@pytest.mark.parametrize("spec", [None, [], "x", {}, {"accessModes": "x", "volumeMode": 5}], ids=repr)
def test_facts_of_a_pvc_of_the_wrong_shape_are_those_of_an_empty_one(spec: object) -> None:
    found = ClaimFacts.read({"metadata": None, "spec": spec})
    assert found == ClaimFacts(access_modes=(), volume_mode="Filesystem", storage_class=None, volume_name=None)


def test_access_modes_that_are_no_strings_are_left_out_and_an_unset_class_is_not_the_empty_one() -> None:
    assert ClaimFacts.read({"spec": {"accessModes": [RWX, 5, None, [RWO]]}}).access_modes == (RWX,)
    assert [ClaimFacts.read(claim("c", RWX, storage_class=name)).storage_class for name in (None, "")] == [None, ""]


def test_kubevirts_label_of_a_node() -> None:
    nodes = [node(f"n{label}", kubevirt_schedulable=label) for label in ("true", "false", "", "True", None)]
    found = [facts.kubevirt_schedulable for facts in Snapshot(nodes).list(NODES)]
    assert found == [True, False, False, False, None]
