"""Text for messages: what users wrote is shown on one line, and shortened."""

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
    half = (_LONGEST_NAME - len(_GAP)) // 2
    shown = name if len(name) <= _LONGEST_NAME else name[:half] + _GAP + name[-half:]
    return json.dumps(shown)


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
