"""The only readers of KubeVirt's API: any object of a machine's kind becomes a `Machine`."""

from webhook.machines.model import DataVolumeTemplate, Hardware, Interface, Machine, PodNetwork, Volume
from webhook.machines.reader import KINDS, is_machine, machine_kind, read_machine

__all__ = [
    "KINDS",
    "DataVolumeTemplate",
    "Hardware",
    "Interface",
    "Machine",
    "PodNetwork",
    "Volume",
    "is_machine",
    "machine_kind",
    "read_machine",
]
