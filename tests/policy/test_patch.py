"""evictionStrategy: when our patch sets LiveMigrate, and when it must not."""

from collections.abc import Callable
from typing import Any

import jsonpatch
import pytest

from tests.build import CLUSTER, Object, data_volume_disk, disk, kubevirt, node, vm, vmi
from tests.policy.samples import table, verdict
from webhook import Settings, Verdict, evaluate

Make = Callable[..., Object]
KINDS = pytest.mark.parametrize("make", [vm, vmi], ids=["VirtualMachine", "VMI"])
RUNNING = {"created": True}


def spec_of(obj: Object) -> Object:
    spec: Object = obj["spec"] if obj["kind"] == "VirtualMachineInstance" else obj["spec"]["template"]["spec"]
    return spec


def after(obj: Object, *objects: Object, **how: Any) -> str | None:
    """Return the strategy of the VM after the patch, having checked that nothing else in its spec is set."""
    found = verdict(obj, *objects, **how)
    patched: Object = jsonpatch.apply_patch(obj, found.eviction_patch)
    strategy: str | None = spec_of(patched).pop("evictionStrategy", None)
    if "evictionStrategy" in spec_of(obj):
        spec_of(patched)["evictionStrategy"] = spec_of(obj)["evictionStrategy"]
    assert patched == obj
    assert verdict(jsonpatch.apply_patch(obj, found.patch), *objects, **how).patch == []
    return strategy


def notes(found: Verdict) -> list[str]:
    return [line for line in found.warnings if line.endswith("[eviction-strategy]")]


SETTINGS = ("enforce", "default", "off")
CREATED = [
    # before, then after by setting
    (None, "LiveMigrate", "LiveMigrate", None),
    ("None", "LiveMigrate", "None", "None"),
    ("LiveMigrateIfPossible", "LiveMigrate", "LiveMigrateIfPossible", "LiveMigrateIfPossible"),
    ("LiveMigrate", "LiveMigrate", "LiveMigrate", "LiveMigrate"),
    ("External", "External", "External", "External"),
]


@KINDS
@pytest.mark.parametrize(("column", "setting"), list(enumerate(SETTINGS, 1)), ids=SETTINGS)
@pytest.mark.parametrize("row", CREATED, ids=[str(row[0]) for row in CREATED])
def test_a_vm_that_is_created(make: Make, column: int, setting: str, row: tuple[str | None, ...]) -> None:
    obj = make(disk("good"), **({"evictionStrategy": row[0]} if row[0] else {}))
    assert after(obj, evictionStrategy=setting) == row[column]
    lines = notes(verdict(obj, evictionStrategy=setting))
    assert ["to LiveMigrate" in line and (row[0] is None or f'"{row[0]}"' in line) for line in lines] == (
        [] if row[0] == row[column] else [True]
    )


PATHS = [("VirtualMachine", vm, "/spec/template/spec"), ("VMI", vmi, "/spec")]


@table(PATHS, "make path")
def test_without_settings_it_is_enforced_by_the_mutating_side_alone(make: Make, path: str) -> None:
    obj = make(disk("good"), evictionStrategy="None")
    assert evaluate(obj, CLUSTER).patch == [{"op": "add", "path": f"{path}/evictionStrategy", "value": "LiveMigrate"}]
    assert evaluate(obj, CLUSTER, final=True).patch == []


@KINDS
def test_an_explicit_null_is_unset(make: Make) -> None:
    obj = make(disk("good"), evictionStrategy=None)
    assert spec_of(jsonpatch.apply_patch(obj, verdict(obj).patch))["evictionStrategy"] == "LiveMigrate"


@KINDS
def test_external_as_the_clusters_default_is_kept_but_not_instead_of_an_explicit_value(make: Make) -> None:
    external = kubevirt(evictionStrategy="External")
    found = verdict(make(disk("good")), external)
    assert (found.patch, found.warnings) == ([], [])
    assert after(make(disk("good"), evictionStrategy="None"), external) == "LiveMigrate"


@KINDS
@pytest.mark.parametrize("default", ["LiveMigrate", "LiveMigrateIfPossible", "None"])
def test_another_default_of_the_cluster_does_not_keep_it_from_being_set(make: Make, default: str) -> None:
    assert after(make(disk("good")), kubevirt(evictionStrategy=default)) == "LiveMigrate"


CRS = [
    # the namespaces with a KubeVirt CR, the setting, whose CR counts
    (["elsewhere", "mine"], "mine", "mine"),
    (["elsewhere", "mine"], "elsewhere", "elsewhere"),
    (["mine"], "auto", "mine"),
    ([*"abcdefgh", "kubevirt"], "auto", "kubevirt"),
]


@pytest.mark.parametrize(("namespaces", "setting", "counted"), CRS, ids=str)
def test_the_default_of_the_kubevirt_counts_that_the_settings_name_else_of_the_only_or_usual_one(
    namespaces: list[str], setting: str, counted: str
) -> None:
    crs = [kubevirt(name, evictionStrategy="External" if name == counted else "None") for name in namespaces]
    others = [obj for obj in CLUSTER if obj["kind"] != "KubeVirt"]
    settings = Settings.parse({"kubevirt": {"namespace": setting}})
    assert evaluate(vm(disk("good")), [*others, *crs], settings=settings).patch == []


NODES: list[tuple[str, list[Object], bool]] = [
    ("no node known", [], False),
    ("one", [node("a")], True),
    ("two", [node("a"), node("b")], False),
    ("one of two is cordoned", [node("a"), node("b", unschedulable=True)], True),
    ("one of two is not KubeVirt's", [node("a"), node("b", kubevirt_schedulable="false")], True),
    ("one of two has no label of KubeVirt", [node("a"), node("b", kubevirt_schedulable=None)], True),
    ("two without KubeVirt's labels", [node(name, kubevirt_schedulable=None) for name in "ab"], False),
    ("one without KubeVirt's label", [node("a", kubevirt_schedulable=None)], True),
]
STATES = [("created", None, False), ("halted", {}, False), ("running", {"status": RUNNING}, True)]


@table(STATES, "update is_running")
@table(NODES, "nodes is_one")
def test_one_schedulable_node_leaves_an_unset_strategy_unset(
    nodes: list[Object], is_one: bool, update: Object | None, is_running: bool
) -> None:
    old = None if update is None else vm(disk("good"), **update)
    new = vm(disk("good"), disk("good-block"), **(update or {}))
    assert after(new, *nodes, old=old) == (None if is_one or is_running else "LiveMigrate")
    (line,) = notes(verdict(new, *nodes, old=old))
    assert ("one schedulable node" in line, "next start" in line) == (is_one, is_running and not is_one)


def test_one_schedulable_node_does_not_keep_an_explicit_value_nor_the_strategy_of_a_vmi() -> None:
    assert after(vm(disk("good"), evictionStrategy="None"), node("a")) == "LiveMigrate"
    assert after(vmi(disk("good")), node("a")) is None


HALTED = [None, {"created": False}, {"printableStatus": "Stopped"}]


@pytest.mark.parametrize("status", HALTED, ids=repr)
@pytest.mark.parametrize("fields", [{}, {"evictionStrategy": "None"}], ids=repr)
def test_a_halted_vm_gets_it_with_a_change_of_its_template_alone(status: Object | None, fields: Object) -> None:
    old = vm(disk("good"), status=status, **fields)
    assert after(vm(disk("good"), disk("good-block"), status=status, **fields), old=old) == "LiveMigrate"
    found = verdict(vm(disk("good"), status=status, spec={"runStrategy": "Always"}, **fields), old=old)
    assert found.patch == []
    assert fields or found.warnings == []


def test_a_running_vm_that_is_protected_gets_no_warning() -> None:
    old = vm(disk("good"), status=RUNNING, evictionStrategy="LiveMigrate")
    new = vm(disk("good"), disk("good-block"), status=RUNNING, evictionStrategy="LiveMigrate")
    assert verdict(new, old=old).warnings == []


UPDATES: list[tuple[str, Object, Object]] = [
    ("hot-plug", vmi(disk("good")), vmi(disk("good"), disk("good-block"))),
    ("lowered", vmi(evictionStrategy="LiveMigrate"), vmi(evictionStrategy="None")),
    ("removed", vmi(evictionStrategy="LiveMigrate"), vmi()),
    ("cannot migrate", vmi(disk("once")), vmi(disk("once"), disk("good"))),
    ("can no longer migrate", vmi(disk("good")), vmi(disk("once"))),
]


@pytest.mark.parametrize("mode", ["deny", "warn"])
@pytest.mark.parametrize("setting", SETTINGS)
@table(UPDATES, "old new")
def test_a_vmi_is_never_patched_on_an_update(old: Object, new: Object, setting: str, mode: str) -> None:
    cluster = kubevirt(evictionStrategy="LiveMigrate")
    assert verdict(new, cluster, old=old, evictionStrategy=setting, mode=mode).patch == []


def test_an_update_without_an_old_object_is_not_patched() -> None:
    assert evaluate(vm(disk("good")), CLUSTER, operation="UPDATE").patch == []


def test_a_vm_whose_pvc_is_not_known_gets_it() -> None:
    assert after(vm(data_volume_disk("nowhere"))) == "LiveMigrate"


@pytest.mark.parametrize("spec", [{}, {"template": None}, {"template": {}}], ids=repr)
def test_without_a_template_there_is_nothing_to_patch(spec: Object) -> None:
    assert verdict({**vm(), "spec": spec}).patch == []
