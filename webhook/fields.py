"""Reading a YAML file into a frozen tree of dataclasses: every error names the field and says what is allowed.

An unknown field is an error: what is switched on with a typing error must not seem to be on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

Part = TypeVar("Part")
Reader = Callable[[Any, str], Any]
"""Turns the value at a place into what the dataclass holds; raises FieldError."""


class FieldError(ValueError):
    """A value cannot be used; the message names its place and says what is allowed."""


def load(path: Path, parse: Callable[[object], Part]) -> Part:
    """Return what a YAML file holds; raises FieldError, which names the file, where it cannot be read or used."""
    try:
        return loads(path.read_bytes(), parse)
    except OSError as error:
        raise FieldError(f"{path}: {error.strerror}") from error
    except FieldError as error:
        raise FieldError(f"{path}: {error}") from None


def loads(content: bytes, parse: Callable[[object], Part]) -> Part:
    """Return what YAML in UTF-8 holds; raises FieldError where it cannot be read or used."""
    try:
        tree = yaml.safe_load(content.decode())
    except Exception as error:  # PyYAML lets odd values raise whatever Python raises
        raise FieldError(f"not YAML: {' '.join(str(error).split())}") from error
    return parse(tree)


def part(
    into: Callable[..., Part],
    at: str,
    tree: object,
    readers: Mapping[str, Reader],
    *,
    required: tuple[str, ...] = (),
    root: bool = False,
) -> Part:
    """Return ``into(**fields)`` with the fields of a mapping, each read by its reader; raises FieldError.

    The ``root`` of a file is named in errors about itself, and not in those about its fields.
    """
    if not isinstance(tree, Mapping):
        raise FieldError(f"{at}: must be a mapping, not {shown(tree)}")
    prefix = "" if root else f"{at}."
    for key in tree:
        if key not in readers:
            raise FieldError(f"{at}: unknown setting {shown(key)}; known: {', '.join(readers)}")
    for key in required:
        if tree.get(key) is None:
            raise FieldError(f"{prefix}{key}: must be set")
    return into(**{key: readers[key](value, prefix + key) for key, value in tree.items()})


def one_of(*allowed: str) -> Reader:
    """Return a reader of one of some words."""

    def read(value: object, at: str) -> str:
        """YAML reads a bare ``off`` as false."""
        word = "off" if value is False else value
        if not isinstance(word, str) or word not in allowed:
            raise FieldError(f"{at}: must be one of {', '.join(allowed)}, not {shown(value)}")
        return word

    return read


def yes_or_no(value: object, at: str) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise FieldError(f"{at}: must be true or false, not {shown(value)}")
    return value


def name(value: object, at: str) -> str:
    """Read a name."""
    if not isinstance(value, str) or not value:
        raise FieldError(f"{at}: must be a name, not {shown(value)}")
    return value


def names(value: object, at: str) -> tuple[str, ...]:
    """Read a list of names."""
    if not isinstance(value, list):
        raise FieldError(f"{at}: must be a list of names, not {shown(value)}")
    return tuple(name(entry, f"{at}[{index}]") for index, entry in enumerate(value))


def shown(value: object) -> str:
    """Return a value as an error shows it, at no great length."""
    whole = repr(value)
    return whole if len(whole) <= 60 else whole[:57] + "..."
