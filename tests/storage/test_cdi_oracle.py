"""Our rendering against what CDI's own controller made."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.build import NAMESPACE, Object, storage_class, storage_profile
from tests.conftest import Report
from webhook.cluster import Snapshot
from webhook.storage.rendering import NotRendered, render

ORACLE = Path(__file__).resolve().parents[3] / "shared" / "oracle"
ROWS = 924

RWX, RWO, ROX = ["ReadWriteMany"], ["ReadWriteOnce"], ["ReadOnlyMany"]
EXCERPT: list[tuple[str, Object, tuple[list[str], str, str | None] | None]] = [
    ("nas decides", {"storage": {"storageClassName": "nas"}}, (RWX, "Filesystem", "nas")),
    ("san decides", {"storage": {"storageClassName": "san"}}, (RWX, "Block", "san")),
    (
        "one node on san loses Block",
        {"storage": {"storageClassName": "san", "accessModes": RWO}},
        (RWO, "Filesystem", "san"),
    ),
    ("a filesystem on san", {"storage": {"storageClassName": "san", "volumeMode": "Filesystem"}}, None),
    ("Block on nas", {"storage": {"storageClassName": "nas", "volumeMode": "Block"}}, None),
    (
        "both given",
        {"storage": {"storageClassName": "san", "accessModes": ROX, "volumeMode": "Filesystem"}},
        (ROX, "Filesystem", "san"),
    ),
    ("an archive on san", {"contentType": "archive", "storage": {"storageClassName": "san"}}, None),
    (
        "an archive on nas",
        {"contentType": "archive", "storage": {"storageClassName": "nas"}},
        (RWX, "Filesystem", "nas"),
    ),
    (
        "an archive in Block mode",
        {"contentType": "archive", "storage": {"storageClassName": "san", "volumeMode": "Block"}},
        None,
    ),
    ("a class without sets", {"storage": {"storageClassName": "bare"}}, None),
    (
        "a class without sets, access given",
        {"storage": {"storageClassName": "bare", "accessModes": RWX}},
        (RWX, "Filesystem", "bare"),
    ),
    ("the default for VMs", {"storage": {}}, (RWX, "Block", "san")),
    (
        "the default for archives",
        {"contentType": "archive", "storage": {"accessModes": RWO}},
        (RWO, "Filesystem", "nas"),
    ),
    (
        "the pvc part as it stands",
        {"pvc": {"storageClassName": "san", "accessModes": RWO}},
        (RWO, "Filesystem", "san"),
    ),
]
CLUSTER = Snapshot(
    [
        storage_class(
            "nas", backendType="ontap-nas", annotations={"storageclass.kubernetes.io/is-default-class": "true"}
        ),
        storage_profile("nas", (RWX, "Filesystem"), (RWO, "Filesystem")),
        storage_class(
            "san", backendType="ontap-san", annotations={"storageclass.kubevirt.io/is-default-virt-class": "true"}
        ),
        storage_profile("san", (RWX, "Block")),
        storage_class("bare"),
        storage_profile("bare"),
    ]
)


def made(spec: Object, cluster: Snapshot) -> tuple[list[str], str, str | None] | None:
    """Return what is rendered as the oracle writes it."""
    try:
        found = render(spec, NAMESPACE, cluster)
    except NotRendered:
        return None
    return list(found.access_modes), found.volume_mode, found.storage_class


@pytest.mark.parametrize(("spec", "expected"), [row[1:] for row in EXCERPT], ids=[row[0] for row in EXCERPT])
def test_an_excerpt_agrees_with_cdi(spec: Object, expected: tuple[list[str], str, str | None] | None) -> None:
    assert made(spec, CLUSTER) == expected


def oracle_rows() -> Iterator[dict[str, Any]]:
    for line in (ORACLE / "cdi_claims.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def test_every_pvc_of_the_oracle_is_rendered_as_cdi_made_it(report: Report) -> None:
    if not ORACLE.is_dir():
        pytest.skip(f"no CDI oracle in {ORACLE.parent.name}/{ORACLE.name} beside this checkout")
    cluster = Snapshot(json.loads((ORACLE / "cdi_cluster.json").read_text(encoding="utf-8")))
    rows = list(oracle_rows())
    differing = [row["id"] for row in rows if made(row["spec"], cluster) != _of_cdi(row["claim"])]
    report(f"{len(rows) - len(differing)} of {len(rows)} PVCs agree with CDI")
    assert differing == []
    assert len(rows) == ROWS


def _of_cdi(claim: dict[str, Any] | None) -> tuple[list[str], str, str | None] | None:
    return (claim["accessModes"], claim["volumeMode"], claim.get("storageClassName")) if claim else None
