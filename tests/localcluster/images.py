"""What stands for a container image: a checkout of the webhook and the Python that runs it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.localcluster.api import Object

CHECKOUT = Path(__file__).parents[2]
_NAME = "migratability-webhook"
_ENTRY_POINTS = ("migratability", "kubectl-migratability")


class Waiting(Exception):
    """A container cannot run now; `reason` and the message are for its status."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Image:
    """A folder with the package `webhook`, the Python that runs it, and environment variables for it."""

    folder: Path = CHECKOUT
    python: Path = field(default_factory=lambda: Path(sys.executable))
    environment: Mapping[str, str] = field(default_factory=dict)


Images = Mapping[str, Image]
"""Which image a tag or a whole reference stands for; any other tag of the webhook is this checkout."""


def find(images: Images, reference: str) -> Image:
    """Return what the image `reference` stands for; raises Waiting where it is none of the webhook."""
    name, _, _ = reference.partition("@")
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    for key in (reference, name, f"{folder}{slash}{last}", tag):
        if key in images:
            return images[key]
    if last == _NAME:
        return Image()
    raise Waiting("ErrImagePull", f"{reference}: this kubelet runs nothing but the webhook itself ({_NAME})")


def arguments(container: Object) -> Sequence[str]:
    """Return what a container passes to `migratability`; raises Waiting where it runs something else."""
    command, args = container.get("command") or [], container.get("args") or []
    if not command:
        return list(args)
    if command[0].rpartition("/")[2] in _ENTRY_POINTS:
        return [*command[1:], *args]
    raise Waiting(
        "CreateContainerError", f"{command[0]}: this kubelet runs nothing but the webhook itself ({_ENTRY_POINTS[0]})"
    )
