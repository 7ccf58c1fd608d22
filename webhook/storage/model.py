"""The PVC behind a volume, existing or to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from webhook.cluster.facts import SourceFacts
from webhook.wording import listed, plain

Protocol = Literal["file", "block", "foreign", "unknown"]
"""How the storage is reached: over NFS or SMB, over iSCSI, NVMe/TCP or FC, not by Trident at all, or not decided."""

BLOCK_MODE = "Block"
FILESYSTEM_MODE = "Filesystem"


@dataclass(frozen=True, slots=True)
class Backing:
    """Who serves a PVC: the protocol, Trident's driver where known, and what says so.

    ``nas_type`` is "nfs" or "smb" where that is said.
    """

    protocol: Protocol
    driver: str | None
    evidence: str
    nas_type: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """What a PVC asks for; ``storage_class`` is None where nothing names one, "" where no class is wanted.

    ``source`` is what it is filled from, in ``namespace`` unless it says otherwise; ``annotations`` are those of
    Trident's domain, without it. A PVC ``made_by_cdi`` is copied where Trident cannot clone it. An archive can
    only be written to a filesystem.
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
    """A PVC that exists, or the one that CDI will make.

    ``origin`` says where it was read, in words for a message ("PVC", "DataVolume …", "dataVolumeTemplate …");
    ``declared_at`` where a PVC to come can be shaped: the field path of the template, or a new DataVolume.
    ``made_on`` is the day (UTC) on which an existing PVC was made, like "2026-11-24".
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
        """Whether a filesystem lies on a volume that is reached over a block protocol."""
        return self.request.volume_mode == FILESYSTEM_MODE and self.backing.protocol == "block"

    @property
    def evidence(self) -> str:
        """What the verdict on this PVC rests on, in one line."""
        modes = listed(self.request.access_modes) or "no access mode"
        return f"{self.origin}: {modes}, {plain(self.request.volume_mode)}; {self.backing.evidence}"


@dataclass(frozen=True, slots=True)
class NoClaim:
    """There is no PVC, and none can be predicted: ``why`` continues "the PVC …", ``remedy`` says what to do."""

    why: str
    remedy: str

    @property
    def evidence(self) -> str:
        """What the verdict rests on, in one line."""
        return self.why


def as_it_is(claim: Claim | NoClaim) -> Claim | NoClaim:
    """Return a PVC that exists, and none in place of one that is only to come."""
    if isinstance(claim, NoClaim) or not claim.is_predicted:
        return claim
    return NoClaim("does not exist yet", "Wait until it is made; KubeVirt then starts the VM by itself")
