"""Progress on stderr while something slow runs."""

import sys
import time

_LINE_EVERY = 30.0


class Progress:
    """Shows for how long a task has been running: ticking on a terminal, else a line now and then."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._terminal = sys.stderr.isatty()
        self._started = self._last_line = time.monotonic()
        self._write(f"{task} …", end="" if self._terminal else "\n")

    def tick(self) -> None:
        """Show the elapsed time, if it is time to; call it about every second."""
        now = time.monotonic()
        if self._terminal:
            self._write(f"\r{self._task} … {now - self._started:.0f} s", end="")
        elif now - self._last_line >= _LINE_EVERY:
            self._last_line = now
            self._write(f"{self._task} … {now - self._started:.0f} s")

    def finish(self, result: str) -> None:
        """Close with `result`, such as "done"."""
        start = "\r" if self._terminal else ""
        self._write(f"{start}{self._task} … {result} after {time.monotonic() - self._started:.0f} s")

    @staticmethod
    def _write(text: str, end: str = "\n") -> None:
        print(text, end=end, file=sys.stderr, flush=True)
