"""Patches are denied, or what KubeVirt decodes, in whatever spelling, is the VM that was evaluated."""

import json
from collections.abc import Iterator
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.build import Object
from tests.build_paths import restore, vm_snapshot
from tests.policy.samples import STRICT
from tests.test_properties import FULL, INFERRING, KNOWN, places, thorough
from webhook import Settings, evaluate
from webhook.cluster import Snapshot
from webhook.kubevirt.patches import NotEvaluated
from webhook.kubevirt.restores import CreatedVM, read_created

SOURCES = (FULL, INFERRING)
FREE = ("labels", "annotations", "nodeSelector")
RULES_FOR_1_8 = Settings.parse({"rules": STRICT.rules, "kubevirt": {"version": "1.8"}})


def schema_of(*values: Any) -> Any:
    """Return the fields that values of one type have, by name; None for what is no object, or has no fields."""
    objects = [value for value in values if isinstance(value, dict)]
    lists = [entry for value in values if isinstance(value, list) for entry in value]
    if lists:
        return schema_of(*lists)
    names = dict.fromkeys(name for value in objects for name in value)
    return {
        name: None if name in FREE else schema_of(*(value[name] for value in objects if name in value))
        for name in names
    }


SCHEMA = schema_of(*SOURCES)


def decoded(value: Any, schema: Any, before: Any = None) -> Any:
    """Return a JSON value as Go decodes it: names in any case, the last of a name wins, unknown ones are dropped."""
    if isinstance(value, list):
        return [decoded(entry, schema) for entry in value]
    if not isinstance(value, dict) or schema is None:
        return value
    exact = {name.casefold(): name for name in schema}
    found = dict(before) if isinstance(before, dict) else {}
    for key, entry in value.items():
        name = key if key in schema else exact.get(key.casefold())
        if name is not None:
            found[name] = decoded(entry, schema[name], found.get(name))
    return found


def found_in(vm_object: Any) -> list[Any]:
    """Return what an evaluation finds; raises NotEvaluated where the VM is not spelled exactly."""
    verdict = evaluate(vm_object, KNOWN, settings=RULES_FOR_1_8)
    return [verdict.patch, *(violation.to_dict() for violation in verdict.violations), *verdict.warnings]


def holds(source: Object, *patches: Object) -> bool:
    """Check patches of a restore; say whether they are evaluated, and not denied."""
    cluster = Snapshot(vm_snapshot(source))
    before = read_created(restore("new"), "vms", cluster)
    assert isinstance(before, CreatedVM)
    try:
        created = read_created(restore("new", *patches), "vms", cluster)
        assert isinstance(created, CreatedVM)
        found = found_in(created.vm)
    except NotEvaluated:
        return False
    try:
        by_kubevirt = jsonpatch.apply_patch(json.loads(json.dumps(before.vm)), patches)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException):
        return True
    assert found == found_in(decoded(by_kubevirt, SCHEMA)), patches
    return True


def pointers(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the JSON Pointer and the value of everything in a JSON value."""
    for path in ((), *places(value)):
        pointer = jsonpatch.JsonPointer.from_parts(path)
        yield pointer.path, pointer.resolve(value)


def respelled(name: str) -> list[str]:
    """Return other spellings of a name that Go takes for the same."""
    variants = [name[:1].upper() + name[1:], name.lower(), name.replace("s", "\u017f").replace("k", "\u212a")]
    return [variant for variant in dict.fromkeys(variants) if variant != name]


FIELDS = [
    (source, pointer, value)
    for source in SOURCES
    for pointer, value in pointers(source)
    if pointer.startswith("/spec") and not pointer.rpartition("/")[2].isdigit()
    if not any(f"/{free}/" in pointer for free in FREE)
]


def another(value: Any) -> Any:
    """Return another value of a field, which a rule may find good or bad."""
    if isinstance(value, bool):
        return not value
    words = {"once": "good", "None": "LiveMigrate", "default": "x"}
    return words.get(value, "once") if isinstance(value, str) else [] if isinstance(value, list) else {}


def test_another_value_of_a_field_is_evaluated_unless_it_cannot_matter() -> None:
    """An empty spec or template leaves no VM, which is denied."""
    for source, path, value in FIELDS:
        assert path in ("/spec", "/spec/template") or holds(
            source, {"op": "replace", "path": path, "value": another(value)}
        ), path


@pytest.mark.parametrize("how", ["moved to", "beside", "instead", "in a value"])
def test_a_field_in_another_spelling_is_never_overlooked(how: str) -> None:
    evaluated = []
    for source, pointer, value in FIELDS:
        above, _, name = pointer.rpartition("/")
        for other in respelled(name):
            there, parent = f"{above}/{other}", dict(pointers(source))[above]
            adding = {"op": "add", "path": there, "value": another(value)}
            patches: dict[str, list[Object]] = {
                "moved to": [{"op": "move", "from": pointer, "path": there}],
                "beside": [adding],
                "instead": [{"op": "remove", "path": pointer}, adding],
                "in a value": [{"op": "replace", "path": above, "value": {**parent, other: another(value)}}],
            }
            evaluated.append(holds(source, *patches[how]))
    assert set(evaluated) == {True, False}


PLACES = [*dict.fromkeys(pointer for source in SOURCES for pointer, _ in pointers(source))]
VALUES = [value for source in SOURCES for _, value in pointers(source)]
NAMES = sorted({name for value in VALUES if isinstance(value, dict) for name in value})


@st.composite
def locations(draw: st.DrawFn) -> str:
    """Draw a JSON Pointer to something that is there, its last part sometimes spelled otherwise, new, or the end."""
    place = draw(st.sampled_from(PLACES))
    above, _, name = place.rpartition("/")
    change = draw(st.sampled_from(["", "", "", "spelling", "end", "new"]))
    if change == "spelling" and respelled(name):
        return f"{above}/{draw(st.sampled_from(respelled(name)))}"
    return {"end": f"{above}/-", "new": f"{place}/new"}.get(change, place)


@st.composite
def operations(draw: st.DrawFn) -> Object:
    """Draw a JSON Patch operation, in whose value one name may be spelled otherwise."""
    name = draw(st.sampled_from(NAMES))
    spelling = draw(st.sampled_from([name, *respelled(name)]))
    value = json.dumps(draw(st.sampled_from(VALUES))).replace(f'"{name}":', f"{json.dumps(spelling)}:")
    return {
        "op": draw(st.sampled_from(["add", "replace", "remove", "test", "move", "copy"])),
        "path": draw(locations()),
        "from": draw(locations()),
        "value": json.loads(value),
    }


@thorough
@given(st.sampled_from(SOURCES), st.lists(operations(), min_size=1, max_size=3))
def test_patches_are_denied_or_evaluated_as_go_reads_them(source: Object, patches: list[Object]) -> None:
    holds(source, *patches)
