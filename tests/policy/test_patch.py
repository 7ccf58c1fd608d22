"""evictionStrategy: when our patch sets LiveMigrate, and when it must not, since it would block every node drain."""

from collections.abc import Callable
from typing import Any

import jsonpatch
import pytest

from tests.build import CLUSTER, Object, data_volume_disk, disk, kubevirt, node, vm, vmi
from tests.policy.samples import SAMPLES, table, verdict
from webhook import Settings, Verdict, evaluate
from webhook.policy.rules import RULES

Make = Callable[..., Object]
KINDS = pytest.mark.parametrize("make", [vm, vmi], ids=["VirtualMachine", "VMI"])
RUNNING = {"created": True}
LIVE_MIGRATE, IF_POSSIBLE = "LiveMigrate", "LiveMigrateIfPossible"


def after(obj: Object, *objects: Object, **how: Any) -> str | None:
    """Return the strategy of the VM after the patch, having checked that nothing else is set, nor later more."""
    found = verdict(obj, *objects, **how)
    assert all(operation["path"].endswith("/spec/evictionStrategy") for operation in found.eviction_patch)
    patched = jsonpatch.apply_patch(obj, found.patch)
    assert verdict(patched, *objects, **how).patch == []
    spec = patched["spec"] if obj["kind"] == "VirtualMachineInstance" else patched["spec"]["template"]["spec"]
    strategy: str | None = spec.get("evictionStrategy")
    return strategy


def notes(found: Verdict) -> list[str]:
    return [line for line in found.warnings if line.endswith("[eviction-strategy]")]


SETTINGS = ("enforce", "default", "off")
CREATED = {
    # before, then after by setting; an explicit null is unset
    None: (LIVE_MIGRATE, LIVE_MIGRATE, None),
    "None": (LIVE_MIGRATE, "None", "None"),
    IF_POSSIBLE: (LIVE_MIGRATE, IF_POSSIBLE, IF_POSSIBLE),
    LIVE_MIGRATE: (LIVE_MIGRATE,) * 3,
    "External": ("External",) * 3,
}


@KINDS
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("before", CREATED)
def test_a_vm_that_is_created(make: Make, setting: str, before: str | None) -> None:
    obj, expected = make(disk("good"), evictionStrategy=before), CREATED[before][SETTINGS.index(setting)]
    found = verdict(obj, evictionStrategy=setting)
    assert (after(obj, evictionStrategy=setting), found.violations) == (expected, [])
    lines = ["to LiveMigrate" in line and (before is None or f'"{before}"' in line) for line in notes(found)]
    assert lines == [True] * (before != expected)


PATHS = [("VirtualMachine", vm, "/spec/template/spec"), ("VMI", vmi, "/spec")]


@table(PATHS, "make path")
def test_without_settings_it_is_enforced_by_the_mutating_side_alone(make: Make, path: str) -> None:
    obj = make(disk("good"), evictionStrategy="None")
    assert evaluate(obj, CLUSTER).patch == [{"op": "add", "path": f"{path}/evictionStrategy", "value": LIVE_MIGRATE}]
    assert evaluate(obj, CLUSTER, final=True).patch == []


DEFAULTS = [
    # the cluster's default, the VM's strategy before, the one after
    ("External", None, None),
    ("External", "None", LIVE_MIGRATE),
    *((default, None, LIVE_MIGRATE) for default in (LIVE_MIGRATE, IF_POSSIBLE, "None")),
]


@KINDS
@pytest.mark.parametrize(("default", "before", "expected"), DEFAULTS)
def test_external_alone_is_kept_as_the_clusters_default_but_not_instead_of_an_explicit_value(
    make: Make, default: str, before: str | None, expected: str | None
) -> None:
    obj, cluster = make(disk("good"), evictionStrategy=before), kubevirt(evictionStrategy=default)
    assert after(obj, cluster) == expected
    assert bool(verdict(obj, cluster).warnings) is (expected is not None)


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
    assert after(new, *nodes, old=old) == (None if is_one or is_running else LIVE_MIGRATE)
    (line,) = notes(verdict(new, *nodes, old=old))
    assert ("one schedulable node" in line, "next start" in line) == (is_one, is_running and not is_one)


def test_one_schedulable_node_does_not_keep_an_explicit_value_nor_the_strategy_of_a_vmi() -> None:
    assert after(vm(disk("good"), evictionStrategy="None"), node("a")) == LIVE_MIGRATE
    assert after(vmi(disk("good")), node("a")) is None


@pytest.mark.parametrize("status", [None, {"created": False}, {"printableStatus": "Stopped"}], ids=repr)
@pytest.mark.parametrize("fields", [{}, {"evictionStrategy": "None"}], ids=repr)
def test_a_halted_vm_gets_it_with_a_change_of_its_template_alone(status: Object | None, fields: Object) -> None:
    old = vm(disk("good"), status=status, **fields)
    assert after(vm(disk("good"), disk("good-block"), status=status, **fields), old=old) == LIVE_MIGRATE
    found = verdict(vm(disk("good"), status=status, spec={"runStrategy": "Always"}, **fields), old=old)
    assert found.patch == []
    assert fields or found.warnings == []


def test_a_running_vm_that_is_protected_gets_no_warning() -> None:
    fields: Object = {"status": RUNNING, "evictionStrategy": LIVE_MIGRATE}
    assert verdict(vm(disk("good"), disk("good-block"), **fields), old=vm(disk("good"), **fields)).warnings == []


UPDATES: list[tuple[str, Object, Object]] = [
    ("hot-plug", vmi(disk("good")), vmi(disk("good"), disk("good-block"))),
    ("lowered", vmi(evictionStrategy=LIVE_MIGRATE), vmi(evictionStrategy="None")),
    ("cannot migrate", vmi(disk("once")), vmi(disk("once"), disk("good"))),
]


@table(UPDATES, "old new")
def test_a_vmi_is_never_patched_on_an_update(old: Object, new: Object) -> None:
    assert verdict(new, kubevirt(evictionStrategy=LIVE_MIGRATE), old=old).patch == []


def test_an_update_without_an_old_object_is_not_patched() -> None:
    assert evaluate(vm(disk("good")), CLUSTER, operation="UPDATE").patch == []


def test_a_vm_whose_pvc_is_not_known_gets_it() -> None:
    assert after(vm(data_volume_disk("nowhere"))) == LIVE_MIGRATE


@pytest.mark.parametrize("spec", [{}, {"template": None}, {"template": {}}], ids=repr)
def test_without_a_template_there_is_nothing_to_patch(spec: Object) -> None:
    assert verdict({**vm(), "spec": spec}).patch == []


ADMITTED: list[tuple[str, Object, Object]] = [
    ("a violation that only warns", {"mode": "warn"}, disk("once")),
    ("a rule that is off", {"rules": {"shared-access": "off"}}, disk("once")),
    ("one rule off, one warns", {"rules": {"shared-access": "off", "san-block": "warn"}}, disk("san-fs-once")),
]


@KINDS
@pytest.mark.parametrize("before", [None, "None", IF_POSSIBLE])
@table(ADMITTED, "settings volume")
def test_a_vm_that_is_admitted_although_it_cannot_migrate_keeps_its_strategy(
    make: Make, before: str | None, settings: Object, volume: Object
) -> None:
    obj = make(volume, evictionStrategy=before)
    assert after(obj, **settings) == before
    found = verdict(obj, final=True, **settings)
    assert found.allowed
    assert "eviction-strategy" not in [violation.rule for violation in found.violations]


@pytest.mark.parametrize("action", ["warn", "off"])
@pytest.mark.parametrize("rule", [rule.name for rule in RULES if rule.makes_unmigratable])
def test_whichever_rule_keeps_it_from_migrating_it_never_gets_it(rule: str, action: str) -> None:
    vm_object, objects = SAMPLES[rule]
    found = verdict(vm_object, *objects, rules={rule: action})
    assert (found.allowed, found.patch) == (True, [])
    assert [violation.rule for violation in found.violations] == ([] if action == "off" else [rule])
    assert action == "warn" or found.warnings == []


def test_an_old_violator_never_gets_it_with_a_change_of_its_template() -> None:
    assert after(vm(disk("once"), disk("good")), old=vm(disk("once"))) is None


def test_a_vm_that_cannot_migrate_and_says_live_migrate_is_warned_of_drains() -> None:
    obj = vm(disk("once"), evictionStrategy=LIVE_MIGRATE)
    assert after(obj, mode="warn") == LIVE_MIGRATE
    (line,) = notes(verdict(obj, mode="warn"))
    assert "blocks every node drain" in line


@pytest.mark.parametrize("default", [LIVE_MIGRATE, IF_POSSIBLE, "None", None])
def test_only_a_vmi_that_cannot_migrate_is_kept_from_the_clusters_default(default: str | None) -> None:
    cluster = kubevirt(evictionStrategy=default)
    assert after(vmi(disk("once")), cluster, mode="warn") == (IF_POSSIBLE if default == LIVE_MIGRATE else None)
    assert after(vm(disk("once")), cluster, mode="warn") is None
