"""Reading Kubernetes objects from anyone: nothing here raises on a wrong type."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]

NAME = r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?"
"""A pattern for the name of an object."""


def mapping(value: object) -> Object:
    """Return the value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Sequence[Any]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def text(value: object) -> str | None:
    """Return the value if it is a non-empty string, else None."""
    return value if isinstance(value, str) and value else None


def at(value: object, *path: str) -> Any:
    """Return the value at a path of keys, or None where the path ends early."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def texts(value: object) -> tuple[str, ...]:
    """Return the strings of a list, interned: PVCs repeat the same few."""
    return tuple(sys.intern(item) for item in items(value) if isinstance(item, str))


def interned(value: object) -> str | None:
    """Return a non-empty string as its one interned copy, else None."""
    return sys.intern(found) if (found := text(value)) else None


def string_map(value: object) -> dict[str, str]:
    """Return the entries of a mapping whose key and value are strings."""
    return {key: entry for key, entry in mapping(value).items() if isinstance(key, str) and isinstance(entry, str)}


def can_be_name(name: str) -> bool:
    """Say whether an object can have this name; users write names that would break a URL."""
    return re.fullmatch(NAME, name) is not None
