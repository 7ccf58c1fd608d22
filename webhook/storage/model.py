"""The PVC behind a volume, existing or predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from webhook.cluster.facts import SourceFacts
from webhook.wording import listed, plain

Protocol = Literal["file", "block", "foreign", "unknown"]
"""Over NFS or SMB, over iSCSI, NVMe/TCP or FC, by another provisioner than Trident, or not decided."""

BLOCK_MODE = "Block"
FILESYSTEM_MODE = "Filesystem"


@dataclass(frozen=True, slots=True)
class Backing:
    """Who serves a PVC: the protocol, Trident's driver where known, and the evidence.

    ``nas_type`` is "nfs" or "smb" where known.
    """

    protocol: Protocol
    evidence: str
    driver: str | None = None
    nas_type: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """What a PVC asks for; ``storage_class`` is None where unset, "" where no class is wanted.

    ``source`` is what it is filled from, in ``namespace`` unless it names another; ``annotations`` are Trident's,
    without the prefix. CDI copies the data of a PVC ``made_by_cdi`` where Trident cannot clone it.
    """

    access_modes: tuple[str, ...]
    volume_mode: str
    storage_class: str | None
    namespace: str = ""
    volume_name: str | None = None
    source: SourceFacts | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    made_by_cdi: bool = False
    is_archive: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A PVC that exists, or the one that CDI will create.

    ``origin`` is where it was read, for a message ("PVC", "DataVolume …", "dataVolumeTemplate …"); ``declared_at``
    is where a predicted PVC can be changed: the field path of the template, or a new DataVolume. ``made_on`` is the day
    (UTC) on which an existing PVC was created, like "2026-11-24".
    """

    origin: str
    request: ClaimRequest
    backing: Backing
    declared_at: str | None = None
    made_on: str | None = None

    @property
    def is_predicted(self) -> bool:
        """Whether the PVC does not exist yet."""
        return self.declared_at is not None

    @property
    def is_filesystem_on_san(self) -> bool:
        """Whether there is a filesystem on a volume that is attached over a block protocol."""
        return self.request.volume_mode == FILESYSTEM_MODE and self.backing.protocol == "block"

    @property
    def evidence(self) -> str:
        """What the verdict on this PVC depends on, in one line."""
        modes = listed(self.request.access_modes) or "no access mode"
        return f"{self.origin}: {modes}, {plain(self.request.volume_mode)}; {self.backing.evidence}"


@dataclass(frozen=True, slots=True)
class NoClaim:
    """There is no PVC and none is predicted: ``why`` continues "the PVC …", ``remedy`` is what to do."""

    why: str
    remedy: str

    @property
    def evidence(self) -> str:
        """What the verdict depends on, in one line."""
        return self.why


def as_it_is(claim: Claim | NoClaim) -> Claim | NoClaim:
    """Return a PVC that exists, `NoClaim` instead of a predicted one."""
    if isinstance(claim, NoClaim) or not claim.is_predicted:
        return claim
    return NoClaim("does not exist yet", "Wait until it is created; KubeVirt then starts the VM by itself")
