"""Kubernetes objects from files, as kubectl would read them."""

import json
from pathlib import Path

import pytest

from webhook.cluster.files import FileError, parse, read_file, read_path

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}


def names(objects: list[dict[str, object]]) -> list[object]:
    return [obj["metadata"]["name"] for obj in objects if isinstance(obj["metadata"], dict)]


def denied(content: str, name: str = "stdin") -> str:
    with pytest.raises(FileError) as caught:
        parse(content, name)
    return str(caught.value)


def test_several_documents_are_read_in_order() -> None:
    assert names(parse(f"{POD}---\n{POD.replace('a}', 'b}')}", "x")) == ["a", "b"]


@pytest.mark.parametrize("content", ["", "\n", "---\n", "# nothing\n", f"---\n---\n{POD}---\n", "null\n"], ids=repr)
def test_empty_documents_are_passed_over(content: str) -> None:
    assert names(parse(content, "x")) == (["a"] if "Pod" in content else [])


@pytest.mark.parametrize("indent", [None, 2])
def test_json_is_read(indent: int | None) -> None:
    assert parse(json.dumps(NODE, indent=indent), "x") == [NODE]


def test_json_behind_blank_lines_is_read() -> None:
    assert parse("\n  " + json.dumps(NODE), "x") == [NODE]


def test_yaml_in_flow_style_is_read() -> None:
    assert names(parse("{apiVersion: v1, kind: Pod, metadata: {name: a}}", "x")) == ["a"]


def test_several_documents_of_json_are_read() -> None:
    assert parse(f"{json.dumps(NODE)}\n---\n{json.dumps(NODE)}\n", "x") == [NODE, NODE]


def test_a_list_is_taken_apart() -> None:
    found = parse(json.dumps({"apiVersion": "v1", "kind": "List", "items": [NODE, NODE]}), "x")
    assert found == [NODE, NODE]


def test_members_of_a_typed_list_have_its_kind_and_version() -> None:
    bare = {"metadata": {"name": "m"}}
    tree = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineList", "items": [bare]}
    assert parse(json.dumps(tree), "x") == [{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", **bare}]


def test_a_member_keeps_a_kind_of_its_own() -> None:
    assert parse(json.dumps({"apiVersion": "v1", "kind": "PodList", "items": [NODE]}), "x") == [NODE]


def test_a_list_without_members_is_empty() -> None:
    assert parse(json.dumps({"apiVersion": "v1", "kind": "List", "items": []}), "x") == []


@pytest.mark.parametrize("kind", ["AccessList", "List"])
@pytest.mark.parametrize("more", [{}, {"items": None}, {"items": "x"}, {"items": {}}], ids=repr)
def test_a_kind_that_merely_ends_like_a_list_is_an_object(kind: str, more: dict[str, object]) -> None:
    found = {"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "l"}, **more}
    assert parse(json.dumps(found), "x") == [found]


@pytest.mark.parametrize("kind", ["List", "NodeList"])
def test_lists_inside_lists_are_taken_apart(kind: str) -> None:
    inner = {"apiVersion": "v1", "kind": kind, "items": [NODE, NODE]}
    middle = {"apiVersion": "v1", "kind": "List", "items": [inner, NODE]}
    assert parse(json.dumps({"apiVersion": "v1", "kind": "List", "items": [middle]}), "x") == [NODE] * 3


def test_a_list_of_lists_of_one_kind_gives_the_kind_down() -> None:
    bare = {"metadata": {"name": "m"}}
    tree = {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "NodeList", "items": [bare]}]}
    assert parse(json.dumps(tree), "x") == [{"apiVersion": "v1", "kind": "Node", **bare}]


def test_a_date_stays_a_string() -> None:
    (found,) = parse("kind: Pod\nmetadata: {creationTimestamp: 2026-11-24T18:59:28Z}\nday: 2026-12-31\n", "x")
    assert found["metadata"] == {"creationTimestamp": "2026-11-24T18:59:28Z"}
    assert found["day"] == "2026-12-31"


def test_numbers_and_truth_are_what_kubernetes_reads() -> None:
    (found,) = parse("kind: Pod\na: 1\nb: true\nc: 1.5\nd: null\n", "x")
    assert [found[key] for key in "abcd"] == [1, True, 1.5, None]


@pytest.mark.parametrize(
    "content",
    [
        "a: [",
        "kind: Pod\n\tname: x\n",
        '{"kind": ',
        "{]",
        "kind: !!python/object:os.system x\n",
        "a: &x *x\n",
        "[" * 5000,
        "kind: !!bool x\n",
        "kind: !!int x\n",
        "kind: !!timestamp x\n",
        "kind: !!binary x\n",
        "kind: !!set x\n",
        "kind: !unheard-of x\n",
        "? [a]\n: b\n",
    ],
    ids=[
        "open list",
        "tab",
        "cut JSON",
        "brackets",
        "object of Python",
        "reference to itself",
        "deep",
        "no truth",
        "no number",
        "no date",
        "no binary",
        "no set",
        "unknown tag",
        "list as a key",
    ],
)
def test_what_is_neither_yaml_nor_json_is_an_error_on_one_line(content: str) -> None:
    message = denied(content, "broken.yaml")
    assert message.startswith("broken.yaml: neither YAML nor JSON: ")
    assert "\n" not in message


@pytest.mark.parametrize("member", ["kind: []", "kind: {}", "kind: !!binary aGk=", "kind: 5"])
def test_a_member_of_a_list_whose_kind_is_no_word_has_no_kind(member: str) -> None:
    message = denied(f"apiVersion: v1\nkind: List\nitems:\n- {member}\n", "list.yaml")
    assert message == "list.yaml: not a Kubernetes object: it has no kind"


@pytest.mark.parametrize("member", ["5", "x", "[]", "null"])
def test_a_member_of_a_list_that_is_no_object_is_an_error(member: str) -> None:
    message = denied(f"apiVersion: v1\nkind: PodList\nitems:\n- {member}\n", "list.yaml")
    assert message == "list.yaml: an item of the PodList is not an object"


@pytest.mark.parametrize(
    "content",
    [
        "a: b\n",
        "kind: 5\n",
        "kind: null\n",
        "just words\n",
        "5\n",
        "[]",
        '["kind"]',
        "- kind: Pod\n",
        f"{POD}---\na: b\n",
    ],
    ids=repr,
)
def test_what_has_no_kind_is_an_error_that_says_so(content: str) -> None:
    assert denied(content, "stray.yaml") == "stray.yaml: not a Kubernetes object: it has no kind"


def test_a_file_is_read_as_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(POD.replace("name: a", "name: é").encode())
    assert names(read_file(path)) == ["é"]


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    for name, content in (("a.yaml", POD), ("a.json", json.dumps(NODE))):
        path = tmp_path / name
        path.write_bytes(b"\xef\xbb\xbf" + content.encode())
        assert len(read_file(path)) == 1


def test_a_file_that_is_not_utf_8_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("kind: é".encode("latin-1"))
    with pytest.raises(FileError, match="not UTF-8") as caught:
        read_file(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file") as caught:
        read_path(tmp_path / "gone.yaml")
    assert "gone.yaml" in str(caught.value)


def test_a_folder_is_read_with_its_subfolders_in_the_order_of_their_paths(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/two.yml", "a.yaml", "c.json"):
        content = json.dumps({**NODE, "metadata": {"name": name}})
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert names(read_path(tmp_path)) == ["a.yaml", "b/two.yml", "c.json"]


def test_other_files_of_a_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POD, encoding="utf-8")
    (tmp_path / "README.md").write_text("no: [", encoding="utf-8")
    (tmp_path / "folder.yaml").mkdir()
    assert names(read_path(tmp_path)) == ["a"]


def test_a_folder_without_a_file_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no \.yaml"):
        read_path(tmp_path)


def test_the_error_of_a_file_in_a_folder_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POD, encoding="utf-8")
    (tmp_path / "b.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(FileError) as caught:
        read_path(tmp_path)
    assert str(caught.value).startswith(str(tmp_path / "b.yaml"))


def test_a_named_file_is_read_whatever_its_suffix(tmp_path: Path) -> None:
    path = tmp_path / "manifest.txt"
    path.write_text(POD, encoding="utf-8")
    assert names(read_path(path)) == ["a"]
