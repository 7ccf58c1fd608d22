"""Where a live object differs from the wanted one: in a field that we set, or in an item added to one of our lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_WHOLE = ("data", "namespaceSelector", "objectSelector", "rules")
"""Compared whole: an additional entry changes the meaning of those that we set."""


def differences(wanted: object, live: object, at: str = "") -> Iterator[str]:
    """Yield the places where a live object differs from a wanted one.

    A mapping may hold more than is wanted, since the API server sets defaults and others add labels. A list may not:
    an additional match condition can switch a webhook off.
    """
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for key, value in wanted.items():
            place = f"{at}.{key}" if at else str(key)
            if key in _WHOLE:
                yield from [place] if value != live.get(key) else ()
            else:
                yield from differences(value, live.get(key), place)
    elif _is_by_name(wanted) and (live is None or _is_by_name(live)):
        yield from _between_named(wanted, live or [], at)
    elif wanted != live:
        yield at


def differs(wanted: object, live: object) -> bool:
    """Return whether a live object, None where there is none, differs from the wanted one."""
    return next(differences(wanted, live), None) is not None


def _between_named(wanted: Any, live: Any, at: str) -> Iterator[str]:
    mine, theirs = ({entry["name"]: entry for entry in entries} for entries in (wanted, live))
    for name in [*mine, *(name for name in theirs if name not in mine)]:
        place = f"{at}[{name}]"
        if name in mine and name in theirs:
            yield from differences(mine[name], theirs[name], place)
        else:
            yield place


def _is_by_name(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, Mapping) and "name" in entry for entry in value)
