"""What real KubeVirt and CDI did, recorded beside the checkout in ../shared: megabytes of other projects' data."""

from pathlib import Path

import pytest

_FOLDER = Path(__file__).resolve().parents[2] / "shared"


def beside(name: str, instead: str) -> Path:
    """Return a folder of recordings; skips the test where it is absent, and says what covers the behaviour instead."""
    found = _FOLDER / name
    if not found.is_dir():  # other projects' recordings are never committed, so a user has none
        pytest.skip(f"{name} is not beside this checkout, in ../{_FOLDER.name}; {instead}")
    return found
