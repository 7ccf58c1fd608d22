"""The only readers of KubeVirt's API: any object of a VM's kind becomes a `VM`."""

from webhook.kubevirt.model import VM, DataVolumeTemplate, Hardware, Interface, PodNetwork, Volume
from webhook.kubevirt.reader import KINDS, is_vm, read_vm, vm_kind

__all__ = [
    "KINDS",
    "VM",
    "DataVolumeTemplate",
    "Hardware",
    "Interface",
    "PodNetwork",
    "Volume",
    "is_vm",
    "read_vm",
    "vm_kind",
]
