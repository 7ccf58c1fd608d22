"""Kubernetes objects from YAML and JSON files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

SUFFIXES = (".yaml", ".yml", ".json")


class FileError(ValueError):
    """A file does not hold Kubernetes objects; the message names it and says why."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as Kubernetes reads it: a date stays a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def files_of(path: Path) -> list[Path]:
    """Return the file, or every YAML and JSON file below a folder; raises FileError where the folder has none."""
    if not path.is_dir():
        return [path]
    files = sorted(found for found in path.rglob("*") if found.suffix in SUFFIXES and found.is_file())
    if not files:
        raise FileError(f"{path}: no {', '.join(SUFFIXES)} file in this folder")
    return files


def read_path(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file or of all files of a folder; raises FileError."""
    return [obj for file in files_of(path) for obj in read_file(file)]


def read_file(path: Path) -> list[dict[str, Any]]:
    """Return the objects of one file; raises FileError."""
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: not UTF-8 text: {error.reason}") from error
    return parse(content, str(path))


def parse(content: str, name: str) -> list[dict[str, Any]]:
    """Return the objects of YAML documents or of JSON; Lists are expanded.

    ``name`` is what errors call the content. Raises FileError where it is neither, or holds something else.
    """
    try:
        documents = list(_documents(content))
    except Exception as error:  # PyYAML lets odd tags raise whatever Python raises
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileError(f"{name}: neither YAML nor JSON: {reason}") from error
    return [obj for document in documents if document is not None for obj in _objects(document, name)]


def _documents(content: str) -> Iterator[Any]:
    """Content that starts like JSON may still be YAML in flow style."""
    if content.lstrip()[:1] in ("{", "["):
        try:
            yield json.loads(content)
            return
        except json.JSONDecodeError:
            pass
    yield from yaml.load_all(content, Loader=_Loader)


def _objects(document: object, name: str) -> Iterator[dict[str, Any]]:
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise FileError(f"{name}: not a Kubernetes object: it has no kind")
    if not (document["kind"].endswith("List") and isinstance(document.get("items"), list)):
        yield document
        return
    for member in document["items"]:
        if not isinstance(member, dict):
            raise FileError(f"{name}: an item of the {document['kind']} is not an object")
        inherited = {"apiVersion": document.get("apiVersion"), "kind": document["kind"].removesuffix("List")}
        yield from _objects({**inherited, **member}, name)
