"""Files for `migratability check` to read, and the command itself."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.build import CLUSTER, Object
from webhook.cli.main import main

Write = Callable[..., str]


@dataclass(frozen=True)
class Done:
    """How the command ended."""

    status: int
    out: str
    err: str

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        """What ``-o json`` printed."""
        return list(json.loads(self.out))


Check = Callable[..., Done]


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
def check(write: Write, capsys: pytest.CaptureFixture[str]) -> Check:
    """Run the command on a cluster of the usual classes and PVCs, or on another."""
    usual = write("of-the-cluster/cluster.yaml", *CLUSTER)

    def run(*arguments: str, cluster: str = usual) -> Done:
        status = main(["check", "--cluster", cluster, *arguments])
        return Done(status, *capsys.readouterr())

    return run
