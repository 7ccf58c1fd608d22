"""Our rendering against what CDI's own controller created."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.build import NAMESPACE
from tests.conftest import Report
from webhook.cluster import Snapshot
from webhook.storage.rendering import NotRendered, render

ORACLE = Path(__file__).resolve().parents[3] / "shared" / "oracle"
ROWS = 924


def agrees(row: dict[str, Any], cluster: Snapshot) -> bool:
    expected = row["claim"]
    try:
        found = render(row["spec"], NAMESPACE, cluster)
    except NotRendered:
        return expected is None
    made = {
        "accessModes": [*found.access_modes],
        "volumeMode": found.volume_mode,
        "storageClassName": found.storage_class,
    }
    return expected is not None and made == {key: expected.get(key) for key in made}


def test_every_pvc_of_the_oracle_is_rendered_as_cdi_made_it(report: Report) -> None:
    if not ORACLE.is_dir():
        pytest.skip(f"no CDI oracle in {ORACLE.parent.name}/{ORACLE.name} beside this checkout")
    cluster = Snapshot(json.loads((ORACLE / "cdi_cluster.json").read_text(encoding="utf-8")))
    rows = [json.loads(line) for line in (ORACLE / "cdi_claims.jsonl").read_text(encoding="utf-8").splitlines()]
    differing = [row["id"] for row in rows if not agrees(row, cluster)]
    report(f"{len(rows) - len(differing)} of {len(rows)} PVCs agree with CDI")
    assert (differing, len(rows)) == ([], ROWS)
