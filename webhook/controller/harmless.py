"""CEL that tells by the objects alone which updates cannot make a machine worse, whatever its claims and classes are.

What changes is no more than this: a volume or a disk less, a volume that goes back to the claim from which it was
being migrated, another size of memory or number of CPUs. Everything else must be as it was. So a disk that was taken
out passes while nobody can be asked; one with another claim does not, for nobody else knows what that claim is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from webhook.controller.conditions import chain
from webhook.machines.reader import CLAIM_NAME, MOST_VOLUMES

Path = tuple[str, ...]
_Check = Callable[[str, str], str]
_Tree = Mapping[str, "_Tree | _Check | None"]
"""How the values of an object's keys may differ; None is for one that may be anything."""


def is_harmless(paths: tuple[Path, ...]) -> str:
    """Return a condition on an update: each of the paths is as it was, or changes in a way that does no harm.

    It fails for no object that KubeVirt's definitions allow for: what is too long to be compared is not harmless.
    """
    return " && ".join(_path_is_harmless(path) for path in paths)


def _path_is_harmless(path: Path) -> str:
    new, old = f"object{chain(path)}", f"oldObject{chain(path)}"
    found = _HARMLESS.get(path)
    return f"({new} == {old} || ({found(new, old)}))" if found else f"{new} == {old}"


def _alike(tree: _Tree, new: str, old: str, depth: int = 0) -> str:
    """Both optional objects are equal but for the keys of the tree, and those are as the tree says."""
    now, then, keys = f"new{depth}", f"old{depth}", sorted(tree)
    parts = [
        f"type({now}) == map",
        f"type({then}) == map",
        f"{now}.all(key, key in {keys} || (key in {then} && {now}[key] == {then}[key]))",
        f"{then}.all(key, key in {keys} || key in {now})",
    ]
    for key, found in tree.items():
        values = f"{now}.?{key}", f"{then}.?{key}"
        if found is not None:
            parts.append(found(*values) if callable(found) else _alike(found, *values, depth + 1))
    return _let(now, f"{new}.orValue({{}})", _let(then, f"{old}.orValue({{}})", " && ".join(parts)))


def _let(name: str, value: str, body: str) -> str:
    """CEL has no variables here; a list of one has the same effect."""
    return f"[{value}].all({name}, {body})"


def _none_new(new: str, old: str, or_else: str = "false") -> str:
    """Every item of an optional list was in the old one, in whatever order; ``or_else`` is said of an ``item``."""
    short = " && ".join(f"type({name}) == list && size({name}) <= {MOST_VOLUMES}" for name in ("now", "then"))
    body = f"now == then || ({short} && now.all(item, item in then || {or_else}))"
    return _let("now", _list(new), _let("then", _list(old), body))


def _none_new_but_back(new: str, old: str) -> str:
    """A volume of a migration that is cancelled has the claim again that the status names as the source."""
    source = "move.?sourcePVCInfo.?claimName"
    claims = "[item.?dataVolume.?name, item.?persistentVolumeClaim.?claimName]"
    back = f"move.?volumeName == item.?name && {source}.hasValue() && {source} in {claims}"
    moves = " || ".join(f"{_list(f'oldObject{chain(path)}')}.exists(move, {back})" for path in _MOVES)
    return _none_new(new, old, f"(type(item) == map && size(item) == 2 && ({moves}))")


def _none_new_but_removals(new: str, old: str) -> str:
    return _none_new(new, old, "(type(item) == map && has(item.removeVolumeOptions) && !has(item.addVolumeOptions))")


def _template(machine: Path) -> _Check:
    """A volume goes only where nothing follows from it: no instancetype or preference, no request behind its name."""
    volumes = chain((*machine, "template", "spec", "volumes"))
    matchers = ", ".join(f"object{chain((*machine, key))}" for key in ("instancetype", "preference"))
    infers = f"[{matchers}].exists(matcher, matcher.?inferFromVolume.hasValue())"
    kept = f"(object{volumes} == oldObject{volumes} || !({infers} || {_ASKED_FOR}))"
    return lambda new, old: f"{_alike({'spec': _INSTANCE}, new, old)} && {kept}"


def _data_volume_templates(machine: Path) -> _Check:
    """One goes only where no volume names it, nor is a volume asked for: its claim would be anybody's."""
    volumes = _list(f"object{chain((*machine, 'template', 'spec', 'volumes'))}")
    names = " + ".join(f"{volumes}.map(volume, volume{chain((source, *name))})" for source, name in CLAIM_NAME.items())

    def check(new: str, old: str) -> str:
        named = f"{_list(old)}.exists(item, !(item in {_list(new)}) && item.?metadata.?name in names)"
        unnamed = f"type({volumes}) == list && {_let('names', names, f'!{named}')}"
        return f"{_none_new(new, old)} && !{_ASKED_FOR} && {unnamed}"

    return check


def _list(value: str) -> str:
    return f"{value}.orValue([])"


_MOVES = (
    ("status", "migratedVolumes"),
    ("status", "volumeUpdateState", "volumeMigrationState", "migratedVolumes"),
)
_ASKED_FOR = f"{_list('oldObject.?status.?volumeRequests')}.exists(asked, asked.?addVolumeOptions.hasValue())"
_DEVICES: _Tree = {"disks": _none_new, "filesystems": _none_new}
_CPU: _Tree = {"cores": None, "sockets": None, "threads": None}
_INSTANCE: _Tree = {
    "domain": {"cpu": _CPU, "devices": _DEVICES, "memory": None, "resources": None},
    "volumes": _none_new_but_back,
}
_MACHINES: tuple[Path, ...] = (("spec",), ("spec", "virtualMachineTemplate", "spec"))
_HARMLESS: Mapping[Path, _Check] = {
    ("spec", "volumes"): _none_new_but_back,
    ("spec", "domain", "devices"): lambda new, old: _alike(_DEVICES, new, old),
    ("status", "volumeRequests"): _none_new_but_removals,
    **{(*machine, "template"): _template(machine) for machine in _MACHINES},
    **{(*machine, "dataVolumeTemplates"): _data_volume_templates(machine) for machine in _MACHINES},
}
"""By the path of what may differ, how it may."""
