"""Kubernetes objects from YAML and JSON files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from webhook.objects import items, mapping

SUFFIXES = (".yaml", ".yml", ".json")


class FileError(ValueError):
    """A file cannot be read as Kubernetes objects; the message names it and says why."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as Kubernetes reads it: a date is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def read_path(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file, or of every YAML and JSON file below a folder; raises FileError."""
    if path.is_dir():
        files = sorted(found for found in path.rglob("*") if found.suffix in SUFFIXES and found.is_file())
        if not files:
            raise FileError(f"{path}: no {', '.join(SUFFIXES)} file in this folder")
    else:
        files = [path]
    return [obj for file in files for obj in read_file(file)]


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
    """Return the objects of a text of several YAML documents, or of JSON; Lists are taken apart.

    ``name`` is what errors call the text. Raises FileError where it is neither, or holds what is no object.
    """
    objects: list[dict[str, Any]] = []
    for document in _documents(content, name):
        if document is None:
            continue
        if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
            raise FileError(f"{name}: not a Kubernetes object: it has no kind")
        objects += _members(document)
    return objects


def _documents(content: str, name: str) -> list[Any]:
    try:
        if content.lstrip()[:1] in ("{", "["):
            return [json.loads(content)]
        return list(yaml.load_all(content, Loader=_Loader))
    except json.JSONDecodeError:
        return _yaml_flow(content, name)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FileError(f"{name}: neither YAML nor JSON: {_one_line(error)}") from error


def _yaml_flow(content: str, name: str) -> list[Any]:
    """A text that begins like JSON may be YAML in flow style, or several JSON documents."""
    try:
        return list(yaml.load_all(content, Loader=_Loader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FileError(f"{name}: neither YAML nor JSON: {_one_line(error)}") from error


def _members(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not document["kind"].endswith("List") or "items" not in document:
        yield document
        return
    for member in items(document["items"]):
        if mapping(member):
            yield {"kind": document["kind"].removesuffix("List"), "apiVersion": document.get("apiVersion"), **member}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
