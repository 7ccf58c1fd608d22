"""Words for messages: what anybody may have written is shown on one line, and never at length."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable

WARNING_LIMIT = 256
_LONGEST_NAME = 253
_LONGEST_TEXT = 2048
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
    """Return the text of a warning about a rule."""
    return f"{what} [{rule}]"


def warning_lines(texts: Iterable[str]) -> list[str]:
    """Return texts as the warnings of an admission response: kube-apiserver cuts each after 256 characters.

    A longer text goes on in the next warning. No name is cut: the longest that Kubernetes allows fits into one.
    """
    return [
        line for text in texts for line in textwrap.wrap(text[:_LONGEST_TEXT], WARNING_LIMIT, break_on_hyphens=False)
    ]


def _shortened(word: str, length: int) -> str:
    if len(word) <= length:
        return word
    head = (length - len(_GAP) + 1) // 2
    return word[:head] + _GAP + word[len(word) - (length - len(_GAP) - head) :]
