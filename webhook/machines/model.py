"""A machine as the policy sees it, whatever kind of object declares it."""

from __future__ import annotations

from dataclasses import dataclass

from webhook.objects import Object


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of a machine: an entry of ``spec.volumes``, or a pending ``status.volumeRequests`` that adds one.

    ``source`` is KubeVirt's key for where it comes from ("persistentVolumeClaim", "hostDisk", …), None where there is
    none; ``body`` what stands under that key; ``claim`` the name of the claim behind it; ``field`` the path that a
    user would edit.
    """

    name: str
    source: str | None
    body: Object
    claim: str | None
    field: str


@dataclass(frozen=True, slots=True)
class DataVolumeTemplate:
    """An entry of ``spec.dataVolumeTemplates``: KubeVirt makes a DataVolume of it, CDI makes that a claim.

    ``field`` is the path of the part that says what the claim shall be.
    """

    spec: Object
    field: str


@dataclass(frozen=True, slots=True)
class Machine:
    """What is judged. ``template`` is the object that becomes the instance's spec, at ``template_path`` in its object.

    ``eviction_strategy`` is None where unset. ``has_instance`` says that a VirtualMachine runs or is starting.
    """

    kind: str
    namespace: str
    name: str
    template: Object | None
    template_path: tuple[str, ...]
    volumes: tuple[Volume, ...]
    data_volume_templates: dict[str, DataVolumeTemplate]
    eviction_strategy: str | None
    has_instance: bool

    @property
    def eviction_field(self) -> str:
        """The field path of the eviction strategy."""
        return ".".join((*self.template_path, "evictionStrategy"))
