"""migratability check on what no careful user writes: exit status 2 and a line, never a traceback."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.build import CLUSTER, RWO, Object, claim, disk, vm
from tests.cli.conftest import Write
from webhook.cli.main import main

GOOD, BAD = vm(disk("good"), name="good-one"), vm(disk("once"), name="bad-one")

BROKEN: list[tuple[str, str | bytes]] = [
    ("a truth that is none", "kind: !!bool x\n"),
    ("a number that is none", "kind: !!int x\n"),
    ("a fraction that is none", "kind: !!float x\n"),
    ("a date that is none", "kind: !!timestamp x\n"),
    ("binary that is none", "kind: !!binary x\n"),
    ("an unknown tag", "kind: !own x\n"),
    ("a list as a key", "? [a, b]\n: c\n"),
    ("deep brackets", "[" * 5000),
    ("deep braces", '{"a":' * 5000),
    ("a kind that is a list, in a List", "kind: List\nitems:\n- kind: []\n"),
    ("a kind that is binary", "apiVersion: v1\nkind: !!binary aGVsbG8=\n"),
    ("a member that is no object", "kind: List\nitems: [5]\n"),
    ("a null byte", "kind: Pod\x00\n"),
    ("a control character", "kind: Po\x1bd\n"),
    ("no UTF-8", b"kind: \xff\xfe\n"),
    ("a surrogate in UTF-8", b"kind: \xed\xa0\x80\n"),
]


@pytest.mark.parametrize("text", [row[1] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_what_cannot_be_read_is_bad_input_on_one_line(
    text: str | bytes, write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *cluster, write("broken.yaml", text=text), write("fine.yaml", GOOD)]) == 2
    out, err = capsys.readouterr()
    assert "good-one: admitted" in out
    (line,) = err.splitlines()
    assert "broken.yaml" in line
    assert line.isprintable()


@pytest.mark.parametrize("text", [row[1] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_cluster_that_cannot_be_read_is_bad_input_without_verdicts(
    text: str | bytes, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--cluster", write("broken.yaml", text=text), write("a.yaml", BAD)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "broken.yaml" in err


def test_one_broken_file_of_a_cluster_is_bad_input_without_verdicts(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("all/a.yaml", *CLUSTER)
    write("all/b.yaml", text="a: [")
    assert main(["check", "--cluster", str(tmp_path / "all"), write("m.yaml", GOOD), "-o", "json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "b.yaml" in err


def test_one_broken_file_of_a_folder_does_not_hide_the_others(
    write: Write, cluster: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("all/a.yaml", GOOD)
    write("all/b.yaml", text="a: [")
    write("all/c.json", text='{"kind": ')
    write("all/d.yaml", BAD, claim("once", RWO))
    assert main(["check", *cluster, str(tmp_path / "all")]) == 2
    out, err = capsys.readouterr()
    assert "good-one: admitted" in out
    assert "bad-one: denied" in out
    assert [name in line for name, line in zip(("b.yaml", "c.json"), err.splitlines(), strict=True)] == [True, True]


def test_the_documents_before_a_broken_one_are_not_half_read(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps(BAD) + "\n---\na: [\n"
    assert main(["check", *cluster, write("a.yaml", text=text), write("b.yaml", GOOD)]) == 2
    assert "bad-one" not in capsys.readouterr().out


def test_an_empty_folder_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["check", str(tmp_path / "empty")]) == 2
    assert "empty" in capsys.readouterr().err


def test_vms_in_lists_inside_lists_are_evaluated(
    write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    tree: Object = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineList", "items": [BAD]}
    for _ in range(5):
        tree = {"apiVersion": "v1", "kind": "List", "items": [tree, GOOD]}
    assert main(["check", *cluster, write("l.json", text=json.dumps(tree))]) == 1
    out = capsys.readouterr().out
    assert out.count("good-one: admitted") == 5
    assert out.count("bad-one: denied") == 1


def with_surrogates(tree: object) -> Any:
    """Return a tree in which every name holds half a surrogate pair."""
    if isinstance(tree, dict):
        return {key: f"{value}\ud800" if key == "name" else with_surrogates(value) for key, value in tree.items()}
    return [with_surrogates(item) for item in tree] if isinstance(tree, list) else tree


@pytest.mark.parametrize("options", [[], ["-v", "--explain"], ["-o", "json"]], ids=repr)
def test_lone_surrogates_are_shown_escaped(
    options: list[str], write: Write, cluster: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps([with_surrogates(BAD)])[1:-1]
    other = json.dumps({"apiVersion": "v1", "kind": "Pod\udfff", "metadata": {"name": "\ud800"}})
    assert main(["check", *cluster, *options, write("s.json", text=text), write("o.json", text=other)]) == 1
    out, err = capsys.readouterr()
    (out + err).encode()
    assert "\\ud800" in out
    assert "\\udfff" in err


SETTINGS = [
    "mode: 2024-13-45\n",
    "[" * 5000,
    "mode: !!bool x\n",
    "mode: !!timestamp x\n",
    "mode: !own x\n",
    "? [a]\n: b\n",
]


@pytest.mark.parametrize("text", SETTINGS, ids=[text[:20].strip() for text in SETTINGS])
def test_settings_that_cannot_be_read_are_bad_input_without_verdicts(
    text: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--config", write("settings.yaml", text=text), write("a.yaml", GOOD)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert "settings.yaml" in line
