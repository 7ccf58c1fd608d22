"""Where a live object is not as we want it: at what we state, and at what somebody added to a list of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_WHOLE = ("namespaceSelector", "objectSelector", "rules")
"""Fields of which a part that we do not state changes the meaning of what we do."""


def differences(wanted: object, live: object, at: str = "") -> Iterator[str]:
    """Yield the places where a live object differs from a wanted one.

    A mapping may hold more than is wanted, since the API server fills in defaults and others add labels; a list may
    not: one more condition on a webhook can switch it off.
    """
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for key, value in wanted.items():
            place = f"{at}.{key}" if at else str(key)
            if key in _WHOLE:
                yield from [place] if value != live.get(key) else ()
            else:
                yield from differences(value, live.get(key), place)
    elif _is_by_name(wanted) and _is_by_name(live):
        yield from _between_named(wanted, live, at)
    elif wanted != live:
        yield at


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
