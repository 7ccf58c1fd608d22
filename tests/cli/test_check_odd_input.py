"""migratability check on malformed input: exit status 2 and a line, never a traceback."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.build import CLUSTER, RWO, Object, claim, disk, vm
from tests.cli.conftest import Check, Write

GOOD, BAD = vm(disk("good"), name="good-one"), vm(disk("once"), name="bad-one")

BROKEN: dict[str, str | bytes] = {
    "invalid bool": "kind: !!bool x\n",
    "invalid int": "kind: !!int x\n",
    "invalid float": "kind: !!float x\n",
    "invalid timestamp": "kind: !!timestamp x\n",
    "invalid binary": "kind: !!binary x\n",
    "unknown tag": "kind: !own x\n",
    "list as a key": "? [a, b]\n: c\n",
    "deep brackets": "[" * 5000,
    "deep braces": '{"a":' * 5000,
    "kind that is a list, in a List": "kind: List\nitems:\n- kind: []\n",
    "kind that is binary": "apiVersion: v1\nkind: !!binary aGVsbG8=\n",
    "item that is no object": "kind: List\nitems: [5]\n",
    "null byte": "kind: Pod\x00\n",
    "control character": "kind: Po\x1bd\n",
    "not UTF-8": b"kind: \xff\xfe\n",
    "surrogate in UTF-8": b"kind: \xed\xa0\x80\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_unreadable_file_is_bad_input_on_one_line(text: str | bytes, write: Write, check: Check) -> None:
    done = check(write("broken.yaml", text=text), write("fine.yaml", GOOD))
    assert done.status == 2
    assert "good-one: allowed" in done.out
    (line,) = done.err.splitlines()
    assert "broken.yaml" in line
    assert line.isprintable()


def test_one_unreadable_file_of_a_cluster_is_bad_input_without_verdicts(
    write: Write, check: Check, tmp_path: Path
) -> None:
    write("all/a.yaml", *CLUSTER)
    for text in ("a: [", BROKEN["not UTF-8"], BROKEN["invalid bool"]):
        write("all/b.yaml", text=text)
        done = check(write("m.yaml", GOOD), cluster=str(tmp_path / "all"))
        assert (done.status, done.out) == (2, "")
        (line,) = done.err.splitlines()
        assert "b.yaml" in line


def test_unreadable_files_of_a_folder_do_not_hide_the_others(write: Write, check: Check, tmp_path: Path) -> None:
    write("all/a.yaml", GOOD)
    write("all/b.yaml", text="a: [")
    write("all/c.json", text='{"kind": ')
    write("all/d.yaml", BAD, claim("once", RWO))
    done = check(str(tmp_path / "all"))
    assert done.status == 2
    assert "good-one: allowed" in done.out
    assert "bad-one: denied" in done.out
    assert [name in line for name, line in zip(("b.yaml", "c.json"), done.err.splitlines(), strict=True)] == [True] * 2


def test_documents_before_a_broken_one_are_not_checked(write: Write, check: Check) -> None:
    done = check(write("a.yaml", text=json.dumps(BAD) + "\n---\na: [\n"), write("b.yaml", GOOD))
    assert (done.status, "bad-one" in done.out) == (2, False)


def test_vms_in_nested_lists_are_checked(write: Write, check: Check) -> None:
    tree: Object = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineList", "items": [BAD]}
    for _ in range(5):
        tree = {"apiVersion": "v1", "kind": "List", "items": [tree, GOOD]}
    done = check(write("l.json", text=json.dumps(tree)))
    assert (done.status, done.out.count("good-one: allowed"), done.out.count("bad-one: denied")) == (1, 5, 1)


def with_surrogates(tree: object) -> Any:
    """Return a tree in which every name holds half a surrogate pair."""
    if isinstance(tree, dict):
        return {key: f"{value}\ud800" if key == "name" else with_surrogates(value) for key, value in tree.items()}
    return [with_surrogates(item) for item in tree] if isinstance(tree, list) else tree


@pytest.mark.parametrize("options", [[], ["-v", "--explain"], ["-o", "json"]], ids=repr)
def test_lone_surrogates_are_shown_escaped(options: list[str], write: Write, check: Check) -> None:
    text = json.dumps([with_surrogates(BAD)])[1:-1]
    other = json.dumps({"apiVersion": "v1", "kind": "Pod\udfff", "metadata": {"name": "\ud800"}})
    done = check(*options, write("s.json", text=text), write("o.json", text=other))
    assert done.status == 1
    (done.out + done.err).encode()
    assert "\\ud800" in done.out
    assert "\\udfff" in done.err
