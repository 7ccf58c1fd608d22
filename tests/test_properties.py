"""What holds for every VM in every cluster, anyone who wrote them."""

import copy
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonpatch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.build import (
    CLUSTER,
    RWO,
    RWX,
    TRIDENT,
    Object,
    backend,
    claim,
    data_volume,
    data_volume_disk,
    data_volume_template,
    disk,
    host_disk,
    kubevirt,
    node,
    persistent_volume,
    storage_class,
    storage_profile,
    vm,
    vmi,
    volume_request,
)
from webhook import Settings, Verdict, evaluate
from webhook.wording import WARNING_LIMIT

quick = settings(max_examples=150)
thorough = settings(quick, max_examples=400)

DEFAULT = {"storageclass.kubevirt.io/is-default-virt-class": "true"}
FACTS: tuple[Object, ...] = (
    *CLUSTER,
    storage_class("std", annotations=DEFAULT, created="2026-01-01T00:00:00Z", backendType="ontap-nas"),
    storage_profile("std", ([RWX], "Filesystem"), ([RWO], "Filesystem")),
    storage_profile("san", ([RWX], "Block")),
    claim("bound", RWX, volume="pv"),
    persistent_volume("pv", "block", backend="u"),
    backend("u", "ontap-san"),
    data_volume("dv", storage={"storageClassName": "san", "accessModes": [RWO]}, contentType="kubevirt"),
    kubevirt(evictionStrategy="LiveMigrate"),
    node("a"),
    node("b", unschedulable=True),
)
TEMPLATES = [
    data_volume_template("made", storage={}),
    data_volume_template("made-once", pvc={"accessModes": [RWO], "storageClassName": "san"}),
    data_volume_template("never-made", storage={"storageClassName": "san", "volumeMode": "Filesystem"}),
]
CLAIMS = ["good", "good-block", "once", "once-block", "san-fs", "san-fs-once", "bound", "nowhere"]
DATA_VOLUMES = ["dv", "made", "made-once", "never-made", "good"]
WORDS = [RWX, "Block", "Filesystem", TRIDENT, "ontap-san", "once", "good", "LiveMigrate", "True", "", "a\nb"]
KEYS = ["name", "claimName", "volumeMode", "accessModes", "spec", "storage", "pvc", "dataVolume", "hostDisk"]

texts = st.sampled_from(WORDS) | st.text(max_size=5)
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | texts, inner, max_size=3),
    max_leaves=6,
)

sources = (
    st.sampled_from(CLAIMS).map(lambda name: disk(name))
    | st.sampled_from(DATA_VOLUMES).map(lambda name: data_volume_disk(name))
    | st.booleans().map(lambda shared: host_disk("h", shared=shared))
    | st.just({"containerDisk": {"image": "x"}})
)
strategies = st.sampled_from([None, None, "None", "LiveMigrateIfPossible", "LiveMigrate", "External"])
choices = st.builds(
    Settings,
    mode=st.sampled_from(["deny", "deny", "warn"]),
    eviction_strategy=st.sampled_from(["enforce", "enforce", "default", "off"]),
    rules=st.dictionaries(
        st.sampled_from(["claim-known", "host-disk", "san-block"]), st.sampled_from(["deny", "warn"]), max_size=2
    ),
)


@st.composite
def clusters(draw: st.DrawFn) -> list[Object]:
    """Return the facts with zero to two nodes and some default of KubeVirt."""
    found = [obj for obj in FACTS if obj["kind"] not in ("Node", "KubeVirt")]
    default = draw(strategies)
    return [
        *found,
        *(node(f"n{index}") for index in range(draw(st.integers(0, 2)))),
        *([kubevirt(evictionStrategy=default)] if default else []),
    ]


@st.composite
def vms(draw: st.DrawFn) -> Object:
    """Return a virtual VM or a VMI as a careful user writes it; volumes have names of their own."""
    volumes = [{**source, "name": f"v{index}"} for index, source in enumerate(draw(st.lists(sources, max_size=5)))]
    strategy = draw(strategies)
    fields: Object = {"evictionStrategy": strategy} if strategy else {}
    if draw(st.booleans()):
        return vmi(*volumes, **fields)
    status: Object = {"created": draw(st.booleans())}
    if draw(st.booleans()):
        status["volumeRequests"] = [volume_request({**draw(sources), "name": "hot"})]
    return vm(*volumes, spec={"dataVolumeTemplates": TEMPLATES}, status=status, **fields)


def volumes_of(vm_object: Object) -> list[Object]:
    spec = vm_object["spec"] if vm_object["kind"] == "VirtualMachineInstance" else vm_object["spec"]["template"]["spec"]
    found: list[Object] = spec["volumes"]
    return found


def places(tree: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a tree but its root."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def mutated(draw: st.DrawFn, *samples: Object, by: st.SearchStrategy[Any] = anything) -> Object:
    """Return one of the trees with one to three places replaced by anything."""
    tree = copy.deepcopy(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(list(places(tree))))
        at: Any = tree
        for key in above:
            at = at[key]
        at[last] = draw(by)
    return tree


def of_kind(vm_object: Object, kind: str) -> Object:
    return {**vm_object, "kind": kind}


WHOLE = vm(
    disk("once"),
    data_volume_disk("made"),
    data_volume_disk("made-once"),
    data_volume_disk("dv"),
    host_disk("h"),
    disk("bound"),
    disk("san-fs"),
    spec={"dataVolumeTemplates": TEMPLATES},
    status={"created": True, "volumeRequests": [volume_request(disk("good", "hot"))]},
    evictionStrategy="None",
)
INSTANCE = vmi(disk("once"), host_disk("h"), evictionStrategy="None")


def is_sound(verdict: Verdict) -> None:
    json.dumps(verdict.to_dict())
    assert all(len(line) <= WARNING_LIMIT for line in verdict.warnings)
    assert verdict.allowed is not any(violation.denies for violation in verdict.violations)


@thorough
@given(
    kind=st.sampled_from(["VirtualMachine", "VirtualMachineInstance"]),
    vm_object=mutated(WHOLE, INSTANCE),
    old=st.none() | mutated(WHOLE, INSTANCE),
    final=st.booleans(),
)
def test_any_json_as_a_vm_gets_a_verdict(kind: str, vm_object: Object, old: Object | None, final: bool) -> None:
    before = of_kind(old, kind) if old else None
    found = evaluate(of_kind(vm_object, kind), FACTS, old=before, operation="UPDATE" if old else "CREATE", final=final)
    is_sound(found)


@quick
@given(
    kind=st.sampled_from(["VirtualMachine", "VirtualMachineInstance"]),
    body=st.dictionaries(texts, anything, max_size=4),
)
def test_anything_at_all_of_a_vms_kind_gets_a_verdict(kind: str, body: Object) -> None:
    is_sound(evaluate(of_kind({**body, "spec": body.get("spec", body)}, kind), FACTS))


@thorough
@given(index=st.integers(0, len(FACTS) - 1), data=st.data())
def test_any_json_in_the_cluster_gets_a_verdict(index: int, data: st.DataObject) -> None:
    wrong = data.draw(mutated(FACTS[index]))
    for vm_object in (WHOLE, INSTANCE):
        is_sound(evaluate(vm_object, [*FACTS[:index], wrong, *FACTS[index + 1 :]]))


@quick
@given(vm_object=vms(), more=sources, place=st.integers(0, 5), cluster=clusters(), chosen=choices, final=st.booleans())
def test_one_more_volume_never_removes_a_violation_of_another(
    vm_object: Object, more: Object, place: int, cluster: list[Object], chosen: Settings, final: bool
) -> None:
    def found(obj: Object) -> Counter[tuple[Any, ...]]:
        verdict = evaluate(obj, cluster, settings=chosen, final=final)
        return Counter((v.rule, v.volume, v.message, v.action) for v in verdict.violations if v.volume is not None)

    larger = copy.deepcopy(vm_object)
    volumes_of(larger).insert(place, {**more, "name": "one-more"})
    assert not found(vm_object) - found(larger)


@quick
@given(data=st.data(), vm_object=vms(), cluster=clusters(), chosen=choices, final=st.booleans())
def test_the_order_of_the_volumes_changes_nothing_but_field_paths(
    data: st.DataObject, vm_object: Object, cluster: list[Object], chosen: Settings, final: bool
) -> None:
    def found(obj: Object) -> tuple[Any, ...]:
        verdict = evaluate(obj, cluster, settings=chosen, final=final)
        violations = [{**violation.to_dict(), "field": None} for violation in verdict.violations]
        return sorted(map(repr, violations)), sorted(verdict.warnings), verdict.patch, verdict.allowed

    shuffled = copy.deepcopy(vm_object)
    volumes_of(shuffled)[:] = data.draw(st.permutations(volumes_of(shuffled)))
    assert found(shuffled) == found(vm_object)


@thorough
@given(data=st.data(), vm_object=vms(), cluster=clusters(), chosen=choices)
def test_what_our_patch_makes_is_denied_for_the_same_rules_and_needs_no_more_patching(
    data: st.DataObject, vm_object: Object, cluster: list[Object], chosen: Settings
) -> None:
    old = data.draw(st.none() | vms().filter(lambda other: bool(other["kind"] == vm_object["kind"])))
    how: Any = {"old": old, "settings": chosen, "operation": "UPDATE" if old else "CREATE"}
    first = evaluate(vm_object, cluster, **how)
    patched = jsonpatch.apply_patch(vm_object, first.patch)
    as_it_stands = evaluate(patched, cluster, final=True, **how)
    assert as_it_stands.violations == first.violations
    assert as_it_stands.allowed is first.allowed
    assert as_it_stands.missing_names == []
    assert evaluate(patched, cluster, **how).patch == []


@quick
@given(vm_object=vms(), cluster=clusters(), chosen=choices)
def test_a_vm_that_is_created_is_protected_unless_it_cannot_migrate(
    vm_object: Object, cluster: list[Object], chosen: Settings
) -> None:
    verdict = evaluate(vm_object, cluster, settings=chosen)
    values = [operation["value"] for operation in verdict.eviction_patch]
    unmigratable = any(
        violation.rule in ("shared-access", "san-block", "host-disk") for violation in verdict.violations
    )
    if verdict.allowed and unmigratable:
        assert "LiveMigrate" not in values
    elif values:
        assert values == ["LiveMigrate"]
