"""evictionStrategy: when our patch sets LiveMigrate, and when it must not."""

from collections.abc import Callable
from typing import Any

import jsonpatch
import pytest

from tests.build import CLUSTER, Object, data_volume_disk, disk, kubevirt, node, vm, vmi
from webhook import Settings, Verdict, evaluate

Make = Callable[..., Object]
KINDS = pytest.mark.parametrize("make", [vm, vmi], ids=["VirtualMachine", "instance"])
RULE = "eviction-strategy"
RUNNING = {"created": True}


def evaluated(
    obj: Object, *objects: Object, old: Object | None = None, setting: str = "enforce", **settings: Any
) -> Verdict:
    operation = "UPDATE" if old else "CREATE"
    found = Settings.parse({"evictionStrategy": setting, **settings})
    return evaluate(obj, [*CLUSTER, *objects], old=old, settings=found, operation=operation)


def strategy_of(obj: Object) -> str | None:
    spec = obj["spec"] if obj["kind"] == "VirtualMachineInstance" else obj["spec"]["template"]["spec"]
    found: str | None = spec.get("evictionStrategy")
    return found


def after(obj: Object, *objects: Object, **how: Any) -> str | None:
    """Return the strategy of the VM after the patch, having checked that nothing else in its spec is set."""
    verdict = evaluated(obj, *objects, **how)
    patched: Object = jsonpatch.apply_patch(obj, verdict.eviction_patch)
    found = strategy_of(patched)
    spec = patched["spec"] if obj["kind"] == "VirtualMachineInstance" else patched["spec"]["template"]["spec"]
    before = strategy_of(obj)
    if before is None:
        spec.pop("evictionStrategy", None)
    else:
        spec["evictionStrategy"] = before
    assert patched == obj
    assert evaluated({**obj, **jsonpatch.apply_patch(obj, verdict.patch)}, *objects, **how).patch == []
    return found


def notes(verdict: Verdict) -> list[str]:
    return [line for line in verdict.warnings if line.endswith(f"[{RULE}]")]


CREATED = [
    # set before               enforce          default                  off
    (None, "LiveMigrate", "LiveMigrate", None),
    ("None", "LiveMigrate", "None", "None"),
    ("LiveMigrateIfPossible", "LiveMigrate", "LiveMigrateIfPossible", "LiveMigrateIfPossible"),
    ("LiveMigrate", "LiveMigrate", "LiveMigrate", "LiveMigrate"),
    ("External", "External", "External", "External"),
]


@KINDS
@pytest.mark.parametrize("column", [1, 2, 3], ids=["enforce", "default", "off"])
@pytest.mark.parametrize("row", CREATED, ids=[str(row[0]) for row in CREATED])
def test_a_vm_that_is_created(make: Make, column: int, row: tuple[str | None, ...]) -> None:
    setting = ("enforce", "default", "off")[column - 1]
    obj = make(disk("good"), **({"evictionStrategy": row[0]} if row[0] else {}))
    assert after(obj, setting=setting) == row[column]
    assert bool(notes(evaluated(obj, setting=setting))) is (row[0] != row[column])


def test_without_a_setting_it_is_enforced() -> None:
    found = evaluate(vm(disk("good"), evictionStrategy="None"), CLUSTER)
    assert found.patch == [{"op": "add", "path": "/spec/template/spec/evictionStrategy", "value": "LiveMigrate"}]


def test_the_patch_of_an_vmi_has_its_own_path() -> None:
    assert [operation["path"] for operation in evaluated(vmi(disk("good"))).patch] == ["/spec/evictionStrategy"]


def test_the_user_is_told_what_was_changed_and_to_what() -> None:
    (line,) = notes(evaluated(vm(evictionStrategy="None")))
    assert '"None"' in line
    assert "LiveMigrate" in line


@KINDS
def test_an_explicit_null_is_unset(make: Make) -> None:
    obj = make(disk("good"), evictionStrategy=None)
    assert strategy_of(jsonpatch.apply_patch(obj, evaluated(obj).patch)) == "LiveMigrate"


@KINDS
def test_the_validating_side_never_patches(make: Make) -> None:
    assert evaluate(make(disk("good")), CLUSTER, final=True).patch == []


@KINDS
def test_external_as_the_clusters_default_is_kept(make: Make) -> None:
    found = evaluated(make(disk("good")), kubevirt(evictionStrategy="External"))
    assert found.patch == []
    assert found.warnings == []


def test_external_as_the_clusters_default_is_no_shield_for_an_explicit_value() -> None:
    assert after(vm(disk("good"), evictionStrategy="None"), kubevirt(evictionStrategy="External")) == "LiveMigrate"


@KINDS
@pytest.mark.parametrize("default", ["LiveMigrate", "LiveMigrateIfPossible", "None"])
def test_another_default_of_the_cluster_does_not_keep_it_from_being_set(make: Make, default: str) -> None:
    assert after(make(disk("good")), kubevirt(evictionStrategy=default)) == "LiveMigrate"


def test_the_default_of_the_configured_kubevirt_counts() -> None:
    crs = (kubevirt("elsewhere", evictionStrategy="External"), kubevirt("mine", evictionStrategy="None"))
    assert after(vm(disk("good")), *crs, kubevirt={"namespace": "mine"}) == "LiveMigrate"
    assert after(vm(disk("good")), *crs, kubevirt={"namespace": "elsewhere"}) is None


@pytest.mark.parametrize(
    ("namespaces", "counted"), [(["mine"], "mine"), ([*"abcdefgh", "kubevirt"], "kubevirt")], ids=str
)
def test_where_no_namespace_is_set_the_one_kubevirt_counts_else_the_usual_one(
    namespaces: list[str], counted: str
) -> None:
    crs = [kubevirt(name, evictionStrategy="External" if name == counted else "None") for name in namespaces]
    others = [obj for obj in CLUSTER if obj["kind"] != "KubeVirt"]
    assert evaluate(vm(disk("good")), [*others, *crs]).patch == []


NODES = [
    ("no node known", [], "LiveMigrate"),
    ("one", [node("a")], None),
    ("two", [node("a"), node("b")], "LiveMigrate"),
    ("one of two is cordoned", [node("a"), node("b", unschedulable=True)], None),
    ("one of two is not KubeVirt's", [node("a"), node("b", kubevirt_schedulable="false")], None),
    ("one of two has no label of KubeVirt", [node("a"), node("b", kubevirt_schedulable=None)], None),
    ("two without KubeVirt's labels", [node(name, kubevirt_schedulable=None) for name in "ab"], "LiveMigrate"),
    ("one without KubeVirt's label", [node("a", kubevirt_schedulable=None)], None),
]


@KINDS
@pytest.mark.parametrize(("nodes", "expected"), [row[1:] for row in NODES], ids=[row[0] for row in NODES])
def test_one_schedulable_node_leaves_an_unset_strategy_unset(
    make: Make, nodes: list[Object], expected: str | None
) -> None:
    assert after(make(disk("good")), *nodes) == expected
    (line,) = notes(evaluated(make(disk("good")), *nodes))
    assert ("one schedulable node" in line) is (expected is None)


@pytest.mark.parametrize("status", [None, {"created": True}], ids=["halted", "running"])
@pytest.mark.parametrize("nodes", [1, 2])
def test_one_schedulable_node_is_honoured_on_an_update_too(status: Object | None, nodes: int) -> None:
    old = vm(disk("good"), status=status)
    new = vm(disk("good"), disk("good-block"), status=status)
    cluster = [node(f"n{index}") for index in range(nodes)]
    assert after(new, *cluster, old=old) == ("LiveMigrate" if nodes == 2 and not status else None)
    (line,) = notes(evaluated(new, *cluster, old=old))
    assert ("one schedulable node" in line) is (nodes == 1)


def test_one_schedulable_node_does_not_keep_an_explicit_value() -> None:
    assert after(vm(disk("good"), evictionStrategy="None"), node("a")) == "LiveMigrate"


HALTED = [None, {"created": False}, {"printableStatus": "Stopped"}]


@pytest.mark.parametrize("status", HALTED, ids=repr)
@pytest.mark.parametrize("before", [None, "None"])
def test_a_halted_virtual_vm_gets_it_with_a_change_of_its_template(status: Object | None, before: str | None) -> None:
    fields: Object = {"evictionStrategy": before} if before else {}
    old = vm(disk("good"), status=status, **fields)
    new = vm(disk("good"), disk("good-block"), status=status, **fields)
    assert after(new, old=old) == "LiveMigrate"


def test_an_update_that_leaves_the_template_alone_sets_nothing() -> None:
    old = vm(disk("good"))
    new = vm(disk("good"), spec={"runStrategy": "Always"})
    assert after(new, old=old) is None
    assert evaluated(new, old=old).warnings == []


def test_a_running_virtual_vm_is_never_patched_but_told_what_the_next_start_does() -> None:
    old = vm(disk("good"), status=RUNNING)
    new = vm(disk("good"), disk("good-block"), status=RUNNING)
    assert after(new, old=old) is None
    (line,) = notes(evaluated(new, old=old))
    assert "next start" in line


def test_a_running_virtual_vm_that_is_protected_hears_nothing() -> None:
    old = vm(disk("good"), status=RUNNING, evictionStrategy="LiveMigrate")
    new = vm(disk("good"), disk("good-block"), status=RUNNING, evictionStrategy="LiveMigrate")
    assert evaluated(new, old=old).warnings == []


UPDATES: list[tuple[str, Object, Object]] = [
    ("hot-plug", vmi(disk("good")), vmi(disk("good"), disk("good-block"))),
    ("nothing", vmi(disk("good")), vmi(disk("good"))),
    ("lowered", vmi(evictionStrategy="LiveMigrate"), vmi(evictionStrategy="None")),
    ("removed", vmi(evictionStrategy="LiveMigrate"), vmi()),
    ("cannot migrate", vmi(disk("once")), vmi(disk("once"), disk("good"))),
    ("can no longer migrate", vmi(disk("good")), vmi(disk("once"))),
]


@pytest.mark.parametrize("mode", ["deny", "warn"])
@pytest.mark.parametrize("setting", ["enforce", "default", "off"])
@pytest.mark.parametrize(("old", "new"), [row[1:] for row in UPDATES], ids=[row[0] for row in UPDATES])
def test_an_vmi_is_never_patched_on_an_update(old: Object, new: Object, setting: str, mode: str) -> None:
    cluster = kubevirt(evictionStrategy="LiveMigrate")
    assert evaluated(new, cluster, old=old, setting=setting, mode=mode).patch == []


def test_an_update_without_an_old_object_is_not_patched() -> None:
    assert evaluate(vm(disk("good")), CLUSTER, operation="UPDATE").patch == []


def test_a_vm_of_which_a_pvc_is_not_known_gets_it() -> None:
    assert after(vm(data_volume_disk("nowhere"))) == "LiveMigrate"


@pytest.mark.parametrize("spec", [{}, {"template": None}, {"template": {}}], ids=repr)
def test_without_a_template_there_is_nothing_to_patch(spec: Object) -> None:
    assert evaluated({**vm(), "spec": spec}).patch == []


@KINDS
def test_the_brake_patches_nothing(make: Make) -> None:
    assert after(make(disk("good"), evictionStrategy="None"), mode="off") == "None"
