"""Trident's drivers and the protocols they speak.

Source: Trident 26.06 ``config/config.go`` and each driver's ``GetProtocol``; ``core/common.go`` for the combinations.
"""

from __future__ import annotations

from typing import Literal

from webhook.storage.model import BLOCK_MODE, Protocol

PROVISIONERS = frozenset({"csi.trident.netapp.io", "netapp.io/trident"})
"""Trident's name as a CSI driver, and before CSI."""

NAS_DRIVERS = frozenset(
    {"ontap-nas", "ontap-nas-economy", "ontap-nas-flexgroup", "azure-netapp-files", "google-cloud-netapp-volumes"}
)
SAN_DRIVERS = frozenset({"ontap-san", "ontap-san-economy", "solidfire-san", "google-cloud-netapp-volumes-san"})


def protocol_of_driver(driver: str | None) -> Protocol:
    """Return the protocol of a driver, "unknown" for another."""
    return "block" if driver in SAN_DRIVERS else "file" if driver in NAS_DRIVERS else "unknown"


def protocol_of_word(word: str | None) -> Protocol:
    """Return the protocol by its name in volume attributes and annotations."""
    return {"file": "file", "block": "block", "blockOnFile": "block"}.get(word or "", "unknown")  # type: ignore[return-value]


def combined(access_modes: tuple[str, ...]) -> str | None:
    """Return the one access mode to which Trident reduces a PVC's (``CombineAccessModes``); None for none."""
    modes = set(access_modes)
    if not modes:
        return None
    if len(modes) == 1 or modes == {"ReadWriteOnce", "ReadWriteOncePod"}:
        return access_modes[0]
    return "ReadWriteMany"


def provisioned_protocol(
    volume_mode: str, access_mode: str | None, asked: Protocol
) -> Protocol | Literal["impossible"]:
    """Return the protocol of a new volume; ``asked`` is what the PVC or the class wants.

    "unknown" where any is possible, "impossible" where Trident creates none (``getProtocol``).
    """
    if volume_mode == BLOCK_MODE:
        return "impossible" if asked == "file" else "block"
    if access_mode == "ReadWriteMany":
        return "impossible" if asked == "block" else "file"
    return asked
