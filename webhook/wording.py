"""Words for messages: names that anybody may have chosen are quoted, and shortened where a message must be short."""

from __future__ import annotations

import json

WARNING_AIM = 120
WARNING_LIMIT = 256
_SHORTEST_WORD = 24
_GAP = "..."


def quoted(name: str) -> str:
    """Return a name in double quotes, on one line whatever is in it."""
    return json.dumps(name, ensure_ascii=False)


def listed(words: list[str]) -> str:
    """Return words as an enumeration: "a", "a and b", "a, b and c"."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def warning(what: str, rule: str) -> str:
    """Return a warning's text: long words are shortened in the middle, the rule never.

    It aims at 120 characters and never exceeds 256, where kube-apiserver would cut it.
    """
    mark = f" [{rule}]"
    return short(what, len(mark)) + mark


def short(text: str, reserved: int = 0) -> str:
    """Return a text with its longest words shortened, as `warning` does, so many characters being taken already."""
    words = text.split(" ")
    while (excess := len(" ".join(words)) + reserved - WARNING_AIM) > 0:
        longest = max(range(len(words)), key=lambda index: len(words[index]))
        if len(words[longest]) <= _SHORTEST_WORD:
            break
        words[longest] = _shortened(words[longest], max(_SHORTEST_WORD, len(words[longest]) - excess))
    return _shortened(" ".join(words), WARNING_LIMIT - reserved)


def _shortened(word: str, length: int) -> str:
    if len(word) <= length:
        return word
    head = (length - len(_GAP) + 1) // 2
    return word[:head] + _GAP + word[len(word) - (length - len(_GAP) - head) :]
