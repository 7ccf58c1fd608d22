"""The volumes of a pod, as folders: what they hold, and how it is replaced while processes read it."""

import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.localcluster.api import Object
from tests.localcluster.environment import pod_field
from tests.localcluster.images import Waiting
from tests.localcluster.sources import Sources

_DATA = "..data"
_ONLY_FOLDERS = ("emptyDir",)
_MODE = 0o644


@dataclass(frozen=True)
class File:
    """What a volume holds at one path."""

    content: bytes
    mode: int = _MODE


@dataclass
class Volumes:
    """Below `folder` one folder a volume; `translate` is applied to each ConfigMap's text."""

    folder: Path
    sources: Sources
    translate: Callable[[str], str] = str
    _written: dict[str, dict[str, File]] = field(default_factory=dict)

    def refresh(self, pod: Object) -> None:
        """Update every volume to what the API server has now; raises Waiting where something is missing."""
        for volume in pod["spec"].get("volumes") or []:
            name = volume["name"]
            folder = self.folder / name
            folder.mkdir(parents=True, exist_ok=True)
            if any(kind in volume for kind in _ONLY_FOLDERS):
                continue
            files = self._files(volume, pod)
            if self._written.get(name) != files:
                replace(folder, files)
                self._written[name] = files

    def remove(self) -> None:
        """Delete them all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self, volume: Object, pod: Object) -> dict[str, File]:
        for kind, find in (("configMap", "name"), ("secret", "secretName")):
            if kind in volume:
                source = volume[kind]
                return self._selected(kind, pod, source[find], source, source.get("defaultMode", _MODE))
        if "downwardAPI" in volume:
            return _downward(volume["downwardAPI"], pod, volume["downwardAPI"].get("defaultMode", _MODE))
        if "projected" in volume:
            mode = volume["projected"].get("defaultMode", _MODE)
            parts = [self._projected(source, pod, mode) for source in volume["projected"].get("sources") or []]
            return {path: file for part in parts for path, file in part.items()}
        kinds = ", ".join(key for key in volume if key != "name")
        raise Waiting("ContainerCreating", f"volume {volume['name']}: this kubelet does not know {kinds}")

    def _projected(self, source: Object, pod: Object, mode: int) -> dict[str, File]:
        if "serviceAccountToken" in source:
            wanted = source["serviceAccountToken"]
            token = self.sources.token(pod, wanted.get("audience", ""), wanted.get("expirationSeconds", 3600))
            return {wanted["path"]: File(token.encode(), mode)}
        if "downwardAPI" in source:
            return _downward(source["downwardAPI"], pod, mode)
        for kind in ("configMap", "secret"):
            if kind in source:
                return self._selected(kind, pod, source[kind]["name"], source[kind], mode)
        raise Waiting("ContainerCreating", f"this kubelet does not project {', '.join(source)}")

    def _selected(self, kind: str, pod: Object, name: str, source: Object, mode: int) -> dict[str, File]:
        data = self.sources.data(kind, pod, name)
        optional = source.get("optional", False)
        if data is None:
            if optional:
                return {}
            raise Waiting("ContainerCreating", f'{kind.lower()} "{name}" not found')
        if kind == "configMap":
            data = {key: self._translated(content) for key, content in data.items()}
        if not source.get("items"):
            return {key: File(content, mode) for key, content in data.items()}
        files = {}
        for item in source["items"]:
            if item["key"] in data:
                files[item["path"]] = File(data[item["key"]], item.get("mode", mode))
            elif not optional:
                message = f'{kind.lower()} "{name}" has no key {item["key"]}'
                raise Waiting("ContainerCreating", message)
        return files

    def _translated(self, content: bytes) -> bytes:
        try:
            return self.translate(content.decode()).encode()
        except UnicodeDecodeError:
            return content


def replace(folder: Path, files: Mapping[str, File]) -> None:
    """Replace what `folder` shows by `files`, all at once for anyone who reads it.

    As a kubelet does it: the files stand in a folder of their own, `..data` is a link to that folder and is swapped by
    a rename, and what the volume shows are links through `..data`.
    """
    fresh = folder / f"..{secrets.token_hex(8)}"
    fresh.mkdir()
    for path, file in files.items():
        target = fresh / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(file.mode)
    data, swap = folder / _DATA, folder / "..data_tmp"
    old = data.readlink() if data.is_symlink() else None
    swap.unlink(missing_ok=True)
    swap.symlink_to(fresh.name)
    os.replace(swap, data)
    shown = {path.split("/")[0] for path in files}
    for name in shown:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(Path(_DATA) / name)
    for entry in folder.iterdir():
        if entry.is_symlink() and entry.name not in {*shown, _DATA} and entry.readlink().parts[0] == _DATA:
            entry.unlink()
    if old is not None:
        shutil.rmtree(folder / old, ignore_errors=True)


def _downward(source: Object, pod: Object, mode: int) -> dict[str, File]:
    files = {}
    for item in source.get("items") or []:
        if "fieldRef" not in item:
            raise Waiting("ContainerCreating", f"this kubelet does not know {item['path']}: only fields of the pod")
        content = pod_field(pod, item["fieldRef"]["fieldPath"]).encode()
        files[item["path"]] = File(content, item.get("mode", mode))
    return files
