"""What the API server does not send adds nothing: changes of every leaf of KubeVirt's definitions, by dry runs."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonpatch
import pytest
from jsonpointer import JsonPointer

from tests.build import Object
from tests.e2e.match_conditions.dry_runs import FACTS, DryRuns, which
from tests.e2e.objects import declared
from tests.schemas import Path, leaves, with_leaf
from tests.test_properties import places
from webhook import evaluate
from webhook.admission.compared import DECLARED
from webhook.admission.scope import COMPARED, KIND_OF_RESOURCE
from webhook.objects import at

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

SEVERAL = 300
"""Changes of several leaves at once, for each kind."""


def added(new: Object, old: Object) -> list[str]:
    """Return what a change adds, and the patch that nothing sets later."""
    now, before = (evaluate(obj, FACTS, old, operation="UPDATE", final=True) for obj in (new, old))
    found = [violation.cause for violation in now.violations if not violation.preexisting]
    found += sorted({*now.warnings} - {*before.warnings}) + sorted({*now.missing_names} - {*before.missing_names})
    patch = [each["value"] for each in evaluate(new, FACTS, old, operation="UPDATE").eviction_patch]
    if patch:
        vmi = declared("VirtualMachineInstance", at(new, "spec", "template", "spec"), "vmi")
        created = [each["value"] for each in evaluate(vmi, FACTS).eviction_patch]
        found += [] if created == patch else [f"patch {patch}, at the creation of the VMI {created}"]
    return found


def left_to_kubevirt(kind: str) -> list[Path]:
    """Of a VMI's spec, what KubeVirt's own accounts alone can change, after the VM was evaluated."""
    parts = COMPARED[which(kind)]
    kept = {".".join(path) for path in (*parts.parts, *parts.lists)}
    paths = [("spec", *path.split(".")) for path in DECLARED if path not in kept]
    return paths if kind == "VirtualMachineInstance" else []


def changes(dry_runs: DryRuns, kind: str, draw: random.Random) -> Iterator[tuple[str, Object, Object, bool]]:
    """Yield name, new and old object of each change, and whether it is one of the status."""
    schema, bases = dry_runs.schemas[kind], dry_runs.stored[kind]
    has_status = kind == "VirtualMachine"
    wanted = [path for path in leaves(schema) if path[:1] in (("spec",), ("status",)) and len(path) > 1]
    for path in wanted:
        if path[0] == "spec" or has_status or kind == "VirtualMachineInstance":
            for base in bases:
                yield ".".join(path), with_leaf(base, schema, path, draw), base, has_status and path[0] == "status"
    inside = [path for path in wanted if path[0] == "spec"]
    for _ in range(SEVERAL if inside else 0):
        base = new = draw.choice(bases)
        paths = draw.sample(inside, draw.randint(2, 4))
        for path in paths:
            new = with_leaf(new, schema, path, draw)
        yield " and ".join(map(".".join, paths)), new, base, False
    for base in bases:
        for place in places(base["spec"]):
            at_place = JsonPointer.from_parts(["spec", *place])
            replaced = {"op": "replace", "value": another(at_place.resolve(base))}
            for operation in ({"op": "remove"}, replaced):
                new = jsonpatch.apply_patch(base, [{**operation, "path": at_place.path}])
                yield f"{operation['op']} {place}", new, base, False


def another(value: Any) -> object:
    """Return another value than a scalar, or an empty list or map."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return f"{value}x"
    return type(value)()


@pytest.mark.parametrize("kind", KIND_OF_RESOURCE.values())
def test_what_is_not_sent_adds_nothing(dry_runs: DryRuns, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.randrange(10**9)
    drawn = list(changes(dry_runs, kind, random.Random(seed)))
    skipped = left_to_kubevirt(kind)

    def attempt(number: int) -> tuple[str, str, list[str]]:
        name, new, old, status = drawn[number]
        stored, asked = dry_runs.change(new, f"change-{kind}-{seed}-{number}", status)
        if stored is None:
            return name, "invalid", []
        differs = COMPARED[which(kind, status)].differs(stored, old)
        if differs != ("/validate" in asked):
            return name, "wrong", [f"sent: {sorted(asked)}, the webhook compares it: {differs}"]
        if differs or any(at(stored, *path) != at(old, *path) for path in skipped):
            return name, "sent" if differs else "left to KubeVirt", []
        return name, "not sent", added(stored, old)

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(attempt, range(len(drawn))))
    counts = Counter(what for _, what, _ in outcomes)
    every = {".".join(path) for path in leaves(dry_runs.schemas[kind]) if path[:1] == ("spec",)}
    never = every - {name for name, what, _ in outcomes if what != "invalid"}
    with capsys.disabled():
        print(f"\n{kind}, seed {seed}: {json.dumps(dict(sorted(counts.items())))}; never valid: {sorted(never)}")
    assert {name: found for name, _, found in outcomes if found} == {}
    assert len(never) <= 2
    assert counts["sent"] > 0
    assert counts["not sent"] > 0
