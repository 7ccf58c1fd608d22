"""CEL that tells by the objects alone which updates cannot make a machine worse, whatever its claims and classes are.

What changes is no more than this: a volume or a disk less, a volume that goes back to the claim from which it was
being migrated, another size of memory or number of CPUs. Everything else must be as it was. So a disk that was taken
out passes while nobody can be asked; one with another claim does not, for nobody else knows what that claim is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from webhook.controller import conditions
from webhook.machines.reader import MOST_VOLUMES

Path = tuple[str, ...]
_Check = Callable[[str, str], str]
_Tree = Mapping[str, "_Tree | _Check"]


def is_harmless(paths: tuple[Path, ...]) -> str:
    """Return a condition on an update: each of the paths is as it was, or changes in a way that does no harm.

    It fails for no object that KubeVirt's definitions allow for: what is too long to be compared is not harmless.
    """
    return " && ".join(_path_is_harmless(path) for path in paths)


def _path_is_harmless(path: Path) -> str:
    chain, found = conditions.chain(path), _HARMLESS.get(path[-1])
    same = f"object{chain} == oldObject{chain}"
    if found is None:
        return same
    besides = {"template": _not_missed, "dataVolumeTemplates": _not_named}.get(path[-1])
    check = _checked(found, f"object{chain}", f"oldObject{chain}")
    return f"({same} || ({check} && {besides(path[:-1])}))" if besides else f"({same} || ({check}))"


def _checked(found: _Tree | _Check, new: str, old: str, depth: int = 0) -> str:
    """Return what is to hold of two optional values."""
    if callable(found):
        return found(f"{new}.orValue([])", f"{old}.orValue([])")
    return _alike(found, f"{new}.orValue({{}})", f"{old}.orValue({{}})", depth)


def _alike(tree: _Tree, new: str, old: str, depth: int) -> str:
    """Both are objects that are equal but for the keys of the tree, and those are as the tree says."""
    now, then, keys = f"new{depth}", f"old{depth}", sorted(tree)
    parts = [
        f"type({now}) == map",
        f"type({then}) == map",
        f"{now}.all(key, key in {keys} || (key in {then} && {now}[key] == {then}[key]))",
        f"{then}.all(key, key in {keys} || key in {now})",
    ]
    parts += [
        _checked(found, f"{now}.?{key}", f"{then}.?{key}", depth + 1)
        for key, found in tree.items()
        if found is not _anything
    ]
    return _let(now, new, _let(then, old, " && ".join(parts)))


def _let(name: str, value: str, body: str) -> str:
    """CEL has no variables here; a list of one has the same effect."""
    return f"[{value}].all({name}, {body})"


def _anything(new: str, old: str) -> str:
    return "true"


def _fewer(new: str, old: str) -> str:
    return _let("now", new, _let("then", old, _each_was("item in then")))


def _fewer_or_back(new: str, old: str) -> str:
    """A volume of a migration that is cancelled has the claim again that the status names as the source."""
    source = "move.?sourcePVCInfo.?claimName"
    claims = "[item.?dataVolume.?name, item.?persistentVolumeClaim.?claimName]"
    back = f"move.?volumeName == item.?name && {source}.hasValue() && {source} in {claims}"
    moves = " || ".join(f"{_list(f'oldObject{conditions.chain(path)}')}.exists(move, {back})" for path in _MOVES)
    is_back = f"(type(item) == map && size(item) == 2 && ({moves}))"
    return _let("now", new, _let("then", old, _each_was(f"item in then || {is_back}")))


def _fewer_or_removals(new: str, old: str) -> str:
    removes = "(type(item) == map && has(item.removeVolumeOptions) && !has(item.addVolumeOptions))"
    return _let("now", new, _let("then", old, _each_was(f"item in then || {removes}")))


def _each_was(item: str) -> str:
    short = " && ".join(f"type({name}) == list && size({name}) <= {MOST_VOLUMES}" for name in ("now", "then"))
    return f"now == then || ({short} && now.all(item, {item}))"


def _not_missed(machine: Path) -> str:
    """Nothing follows from a volume that went: no instancetype or preference, no claim of a request of its name."""
    volumes = conditions.chain((*machine, "template", "spec", "volumes"))
    matchers = ", ".join(f"object{conditions.chain((*machine, key))}" for key in ("instancetype", "preference"))
    infers = f"[{matchers}].exists(matcher, matcher.?inferFromVolume.hasValue())"
    return f"(object{volumes} == oldObject{volumes} || !({infers} || {_ASKED_FOR}))"


def _not_named(machine: Path) -> str:
    """No volume names a template that is there no more, nor is one asked for: its claim would be anybody's."""
    templates = conditions.chain((*machine, "dataVolumeTemplates"))
    volumes = _list(f"object{conditions.chain((*machine, 'template', 'spec', 'volumes'))}")
    names = " + ".join(f"{volumes}.map(volume, volume{conditions.chain(path)})" for path in _CLAIMS)
    gone = f"!(item in {_list(f'object{templates}')})"
    named = f"{_list(f'oldObject{templates}')}.exists(item, {gone} && item.?metadata.?name in names)"
    return f"(type({volumes}) == list && !({_ASKED_FOR}) && {_let('names', names, f'!{named}')})"


def _list(value: str) -> str:
    return f"{value}.orValue([])"


_MOVES = (
    ("status", "migratedVolumes"),
    ("status", "volumeUpdateState", "volumeMigrationState", "migratedVolumes"),
)
_CLAIMS = (
    ("dataVolume", "name"),
    ("persistentVolumeClaim", "claimName"),
    ("ephemeral", "persistentVolumeClaim", "claimName"),
)
_ASKED_FOR = f"{_list('oldObject.?status.?volumeRequests')}.exists(asked, asked.?addVolumeOptions.hasValue())"
_DEVICES: _Tree = {"disks": _fewer, "filesystems": _fewer}
_CPU: _Tree = {"cores": _anything, "sockets": _anything, "threads": _anything}
_DOMAIN: _Tree = {"cpu": _CPU, "devices": _DEVICES, "memory": _anything, "resources": _anything}
_HARMLESS: Mapping[str, _Tree | _Check] = {
    "template": {"spec": {"domain": _DOMAIN, "volumes": _fewer_or_back}},
    "volumes": _fewer_or_back,
    "devices": _DEVICES,
    "dataVolumeTemplates": _fewer,
    "volumeRequests": _fewer_or_removals,
}
"""By the last key of a path, how what stands there may differ; what is not named must be as it was."""
