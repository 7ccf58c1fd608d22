"""A wall clock that a test moves: processes of one image read it, by our `sitecustomize`, and the seconds in a file."""

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
