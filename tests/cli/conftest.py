"""Files for the commands to read."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.build import CLUSTER, Object

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write objects as YAML documents, or a text as it stands, into a file; returns its path."""

    def written(name: str, *objects: Object, text: str | bytes | None = None) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        content = yaml.safe_dump_all(objects) if text is None else text
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return written


@pytest.fixture
def cluster(write: Write, tmp_path: Path) -> list[str]:
    """The options that name a cluster of the usual classes and PVCs."""
    return ["--cluster", write("of-the-cluster/cluster.yaml", *CLUSTER)]
