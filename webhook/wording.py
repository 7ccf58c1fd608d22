"""Words for messages: what anybody may have written is shown on one line, and never at length."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

WARNING_AIM = 120
WARNING_LIMIT = 256
_LONGEST_NAME = 253
_SHORTEST_WORD = 24
_MOST_LISTED = 5
_GAP = "..."
_PLAIN = re.compile(r"[A-Za-z0-9][-A-Za-z0-9._/]{0,252}")


def quoted(name: str) -> str:
    """Return a name in double quotes, on one line whatever is in it, and no longer than a name can be."""
    return f'"{name}"' if _PLAIN.fullmatch(name) else json.dumps(_shortened(name, _LONGEST_NAME))


def plain(name: str) -> str:
    """Return a name as it is where it looks like one, else quoted."""
    return name if _PLAIN.fullmatch(name) else quoted(name)


def listed(words: Iterable[str]) -> str:
    """Return words as an enumeration: "a", "a and b", "a, b and c"; of many only the first."""
    shown = [plain(word) for word in words]
    if len(shown) > _MOST_LISTED:
        shown[_MOST_LISTED:] = [f"{len(shown) - _MOST_LISTED} more"]
    return " and ".join(part for part in (", ".join(shown[:-1]), *shown[-1:]) if part)


def warning(what: str, rule: str) -> str:
    """Return a warning's text: long words are shortened in the middle, the rule never.

    It aims at 120 characters and never exceeds 256, where kube-apiserver would cut it.
    """
    mark = f" [{rule}]"
    return short(what, len(mark)) + mark


def short(text: str, reserved: int = 0) -> str:
    """Return a text with its longest words shortened, as `warning` does, so many characters being taken already."""
    words = text.split(" ")
    excess = len(text) + reserved - WARNING_AIM
    for index in sorted(range(len(words)), key=lambda index: -len(words[index])):
        if excess <= 0 or len(words[index]) <= _SHORTEST_WORD:
            break
        before = len(words[index])
        words[index] = _shortened(words[index], max(_SHORTEST_WORD, before - excess))
        excess -= before - len(words[index])
    return _shortened(" ".join(words), WARNING_LIMIT - reserved)


def _shortened(word: str, length: int) -> str:
    if len(word) <= length:
        return word
    head = (length - len(_GAP) + 1) // 2
    return word[:head] + _GAP + word[len(word) - (length - len(_GAP) - head) :]
