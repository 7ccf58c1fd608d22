"""Waiting for what no event reports."""

import time
from collections.abc import Callable
from typing import Any

DEADLINE = 240.0
"""For how many seconds a test waits."""


def eventually(what: str, condition: Callable[[], Any], pause: float = 0.05) -> Any:
    """Poll what no event reports; return what the condition gives once it is true, fail after the deadline."""
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"still not so: {what}"
        time.sleep(pause)  # nothing can be awaited: the processes behind it are not ours, and send no event
    return found
