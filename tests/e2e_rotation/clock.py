"""A wall clock that a test moves, for the replicas of one image.

Each process of the image reads the clock through our own `sitecustomize`: the operating system's, moved by as many
seconds as stand in a file. libfaketime would do the same, but is not everywhere. The monotonic clock is left alone, and
so are API server and tests.
"""

import os
from pathlib import Path

from tests.localcluster import Image

EVERY_REPLICA = "every replica"

_SITE = """
import datetime, os, time

folder, system = os.environ["CLOCK"], time.time

def moved():
    for name in (os.environ.get("POD_NAME", ""), "every replica"):
        try:
            with open(os.path.join(folder, name)) as file:
                return float(file.read())
        except OSError:
            pass
    return 0.0

class Kind(type):
    def __instancecheck__(cls, value):
        return isinstance(value, real)

class Moved(datetime.datetime, metaclass=Kind):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)

real, datetime.datetime = datetime.datetime, Moved
time.time = lambda: system() + moved()
"""


class Clock:
    """The clock of one image."""

    def __init__(self, folder: Path) -> None:
        """Keep it in an empty folder."""
        self._folder = folder
        (folder / "sitecustomize.py").write_text(_SITE)

    @property
    def image(self) -> Image:
        """The webhook of this checkout, by this clock."""
        return Image(environment={"PYTHONPATH": str(self._folder), "CLOCK": str(self._folder)})

    def move(self, seconds: float, replica: str = EVERY_REPLICA) -> None:
        """Let the clock of a replica be off from now on by so many seconds."""
        beside = self._folder / "new"
        beside.write_text(str(seconds))
        os.replace(beside, self._folder / replica)

    def put_right(self) -> None:
        """Let no clock be off any more."""
        for path in self._folder.iterdir():
            if path.suffix != ".py" and path.is_file():
                path.unlink()
