"""The comments in the chart's values.yaml, which say what each value is for."""

import json
from collections.abc import Iterator
from typing import NamedTuple

import yaml


class Value(NamedTuple):
    """A value that a user can set: its name with dots, and what values.yaml says above it, if anything."""

    path: str
    default: object
    comment: str


def read(text: str) -> list[Value]:
    """Return the values in a values.yaml: scalars, lists and maps with a comment of their own."""
    root = yaml.compose(text)
    assert isinstance(root, yaml.MappingNode)
    return list(_values(root, text.splitlines(), ""))


def table(text: str) -> str:
    """Return the values as a table in Markdown."""
    found = "| value | default | what it does |\n|---|---|---|\n"
    for path, default, comment in read(text):
        found += f"| `{path}` | {_shown(default)} | " + comment.replace("|", "\\|") + " |\n"
    return found


def _values(node: yaml.MappingNode, lines: list[str], prefix: str) -> Iterator[Value]:
    for key, value in node.value:
        comment = " ".join(_above(lines, key.start_mark.line, key.start_mark.column))
        path = f"{prefix}{key.value}"
        if isinstance(value, yaml.MappingNode) and value.value and not comment:
            yield from _values(value, lines, f"{path}.")
        else:
            yield Value(path, yaml.safe_load(yaml.serialize(value)), comment)


def _above(lines: list[str], number: int, column: int) -> list[str]:
    """The comment lines that stand directly above a key, as far to the right as the key."""
    first = number
    while first and lines[first - 1].startswith(f"{' ' * column}# "):
        first -= 1
    return [line[column + 2 :].strip() for line in lines[first:number]]


def _shown(default: object) -> str:
    bare = isinstance(default, str) and yaml.safe_load(default) == default
    return f"`{default}`" if bare else f"`{json.dumps(default)}`"
