"""Kubernetes objects from files, as kubectl reads them."""

import json
from pathlib import Path
from typing import Any

import pytest

from webhook.cluster.files import FileError, parse, read_file, read_path

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
NODE_JSON = json.dumps(NODE)
BARE = {"metadata": {"name": "m"}}


def names(objects: list[dict[str, Any]]) -> list[str]:
    return [obj["metadata"]["name"] for obj in objects]


def listed(*members: object, kind: str = "List", api_version: str = "v1") -> dict[str, object]:
    return {"apiVersion": api_version, "kind": kind, "items": list(members)}


READ: dict[str, tuple[str, list[str]]] = {
    "several documents": (f"{POD}---\n{POD.replace('a}', 'b}')}", ["a", "b"]),
    "empty documents": (f"---\n---\n{POD}---\n# nothing\n---\nnull\n", ["a"]),
    "nothing": ("", []),
    "JSON after blank lines": (f"\n  {NODE_JSON}", ["n"]),
    "YAML in flow style": ("{apiVersion: v1, kind: Pod, metadata: {name: a}}", ["a"]),
    "several documents of JSON": (f"{NODE_JSON}\n---\n{NODE_JSON}\n", ["n", "n"]),
}


@pytest.mark.parametrize(("content", "expected"), READ.values(), ids=READ)
def test_objects_are_read_in_order(content: str, expected: list[str]) -> None:
    assert names(parse(content, "x")) == expected


OF_VMS = listed(BARE, kind="VirtualMachineList", api_version="kubevirt.io/v1")
LISTS: dict[str, tuple[dict[str, object], list[object]]] = {
    "an empty List": (listed(), []),
    "items have the kind and version of a typed list": (
        listed(OF_VMS, NODE),
        [{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", **BARE}, NODE],
    ),
    "an item keeps its own kind": (listed(NODE, kind="PodList"), [NODE]),
    "Lists in Lists": (listed(listed(listed(NODE, NODE), NODE)), [NODE] * 3),
}


@pytest.mark.parametrize(("content", "expected"), LISTS.values(), ids=LISTS)
def test_a_list_is_expanded(content: dict[str, object], expected: list[object]) -> None:
    assert parse(json.dumps(content), "x") == expected


@pytest.mark.parametrize("kind", ["AccessList", "List"])
@pytest.mark.parametrize("more", [{}, {"items": None}, {"items": "x"}, {"items": {}}], ids=repr)
def test_a_kind_that_merely_ends_like_a_list_is_an_object(kind: str, more: dict[str, object]) -> None:
    found = {"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "l"}, **more}
    assert parse(json.dumps(found), "x") == [found]


def test_values_are_what_kubernetes_reads_and_a_date_stays_a_string() -> None:
    (found,) = parse("kind: Pod\na: 1\nb: true\nc: 1.5\nd: null\ne: 2026-11-24T18:59:28Z\nf: 2026-12-31\n", "x")
    assert [found[key] for key in "abcdef"] == [1, True, 1.5, None, "2026-11-24T18:59:28Z", "2026-12-31"]


NEITHER = [
    *("a: [", "kind: Pod\n\tname: x\n", '{"kind": ', "[" * 5000, '{"a":' * 5000, "a: &x *x\n", "? [a]\n: b\n"),
    *("kind: Pod\x00\n", "kind: Po\x1bd\n", "kind: !unheard-of x\n", "kind: !!python/object:os.system x\n"),
    *(f"kind: !!{tag} x\n" for tag in ("bool", "int", "float", "timestamp", "binary", "set")),
]
NO_KIND = [
    *("a: b\n", "kind: 5\n", "kind: null\n", "just words\n", "5\n", "[]", '["kind"]', "- kind: Pod\n"),
    f"{POD}---\na: b\n",
    *(f"kind: List\nitems:\n- kind: {kind}\n" for kind in ("[]", "{}", "!!binary aGk=", "5")),
]
NO_OBJECT = [f"kind: PodList\nitems:\n- {item}\n" for item in ("5", "x", "[]", "null")]
ERRORS = [
    *((content, "neither YAML nor JSON: ") for content in NEITHER),
    *((content, "not a Kubernetes object: it has no kind") for content in NO_KIND),
    *((content, "an item of the PodList is not an object") for content in NO_OBJECT),
]


@pytest.mark.parametrize(("content", "why"), ERRORS, ids=[repr(content[:40]) for content, _ in ERRORS])
def test_what_holds_no_objects_is_an_error_on_one_line_that_says_why(content: str, why: str) -> None:
    with pytest.raises(FileError) as caught:
        parse(content, "bad.yaml")
    message = str(caught.value)
    assert message.startswith(f"bad.yaml: {why}") if why.endswith(" ") else message == f"bad.yaml: {why}"
    assert message.isprintable()


def test_a_file_is_read_as_utf_8_with_or_without_a_bom(tmp_path: Path) -> None:
    for bom in (b"", b"\xef\xbb\xbf"):
        for name, content in (("x.yaml", POD.replace("name: a", "name: é")), ("x.json", NODE_JSON)):
            (tmp_path / name).write_bytes(bom + content.encode())
        assert names(read_path(tmp_path)) == ["n", "é"]


def test_a_folder_is_read_with_its_subfolders_in_the_order_of_their_paths_but_for_other_files(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "folder.yaml").mkdir()
    for name in ("b/two.yml", "a.yaml", "c.json", "m.txt"):
        (tmp_path / name).write_text(json.dumps({**NODE, "metadata": {"name": name}}))
    assert names(read_path(tmp_path)) == ["a.yaml", "b/two.yml", "c.json"]
    assert names(read_path(tmp_path / "m.txt")) == ["m.txt"], "a file that is named is read"


def test_an_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no \.yaml"):
        read_path(tmp_path)
    for name, content in (("a.yaml", POD), ("b.yaml", "a: ["), ("latin.txt", "kind: é")):
        (tmp_path / name).write_bytes(content.encode("latin-1"))
    with pytest.raises(FileError, match=rf"^{tmp_path}/b\.yaml: neither"):
        read_path(tmp_path)
    with pytest.raises(FileError, match=rf"^{tmp_path}/latin\.txt: not UTF-8 text"):
        read_file(tmp_path / "latin.txt")
    with pytest.raises(FileError, match=rf"^{tmp_path}/gone\.yaml: No such file"):
        read_path(tmp_path / "gone.yaml")
