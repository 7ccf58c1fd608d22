"""The policy's settings: one frozen tree from one YAML file.

A setting left out has its initial value. A rule's name that this version does not know is not an error, since a
rollback must be able to run with the settings of the version it rolls back; it is reported by `Settings.unknown_rules`.
Any other unknown name is one: a brake with a typing error must not seem to be pulled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import yaml

from webhook.wording import plain

Mode = Literal["deny", "warn", "off"]
MODES: tuple[Mode, ...] = ("off", "warn", "deny")
"""From the mildest to the strictest."""
EvictionStrategy = Literal["enforce", "default", "off"]

Part = TypeVar("Part")


class SettingsError(ValueError):
    """The settings cannot be used; the message names the setting and says what is allowed."""


@dataclass(frozen=True, slots=True)
class Exemptions:
    """What an exemption label must come with."""

    requireReason: bool = True
    """An exemption counts only beside the annotation that says why."""
    maxDays: int = 90
    """How many days ahead an exemption's last day may lie."""
    notBy: tuple[str, ...] = ()
    """Users whose wildcard right to exempt does not count, a GitOps controller with cluster-admin, say."""


@dataclass(frozen=True, slots=True)
class KubeVirt:
    """Where KubeVirt is, and which."""

    namespace: str = "kubevirt"
    """The namespace of the KubeVirt CR and of KubeVirt's service accounts."""
    version: str = "auto"
    """KubeVirt's version; "auto" reads it from the KubeVirt CR."""


@dataclass(frozen=True, slots=True)
class Trident:
    """Where Trident is."""

    namespace: str = "trident"
    """The namespace of Trident's custom resources."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings."""

    mode: Mode = "deny"
    """The brake: caps what every rule does. "off" judges nothing and patches nothing."""
    rules: Mapping[str, Mode] = field(default_factory=lambda: MappingProxyType({}))
    """What a rule does, where it shall differ from its default."""
    evictionStrategy: EvictionStrategy = "enforce"
    """Whether evictionStrategy becomes LiveMigrate: always, only where it is unset, or never."""
    exemptions: Exemptions = Exemptions()
    """Exceptions by label."""
    kubevirt: KubeVirt = KubeVirt()
    """KubeVirt."""
    trident: Trident = Trident()
    """Trident."""
    registrations: Literal["managed", "off"] = "managed"
    """Whether the webhook keeps its own registrations in the API server; "off" removes them."""

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Read the settings from a YAML file; raises SettingsError where it cannot be read or holds a wrong value."""
        try:
            tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsError(f"{path}: {error.strerror}") from error
        except Exception as error:  # PyYAML lets odd values raise whatever Python raises
            raise SettingsError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
        try:
            return cls.parse(tree)
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from None

    @classmethod
    def parse(cls, tree: object) -> Settings:
        """Return the settings that a parsed YAML document holds; raises SettingsError."""
        return _part(
            cls,
            "settings",
            {} if tree is None else tree,
            {
                "mode": _one_of("deny", "warn", "off"),
                "rules": _rules,
                "evictionStrategy": _one_of("enforce", "default", "off"),
                "exemptions": lambda value, at: _part(
                    Exemptions, at, value, {"requireReason": _yes_or_no, "maxDays": _days, "notBy": _names}
                ),
                "kubevirt": lambda value, at: _part(KubeVirt, at, value, {"namespace": _name, "version": _version}),
                "trident": lambda value, at: _part(Trident, at, value, {"namespace": _name}),
                "registrations": _one_of("managed", "off"),
            },
        )

    def unknown_rules(self, known: frozenset[str]) -> list[str]:
        """Return the names under ``rules`` that are not among the known ones."""
        return sorted(set(self.rules) - known)


Reader = Callable[[Any, str], Any]


def _part(into: Callable[..., Part], at: str, tree: object, readers: Mapping[str, Reader]) -> Part:
    if not isinstance(tree, Mapping):
        raise SettingsError(f"{at}: must be a mapping, not {_shown(tree)}")
    for key in tree:
        if key not in readers:
            raise SettingsError(f"{at}: unknown setting {_shown(key)}; known: {', '.join(readers)}")
    prefix = "" if at == "settings" else f"{at}."
    return into(**{key: readers[key](value, prefix + key) for key, value in tree.items()})


def _one_of(*allowed: str) -> Reader:
    def read(value: object, at: str) -> str:
        """YAML reads a bare ``off`` as false."""
        word = "off" if value is False else value
        if not isinstance(word, str) or word not in allowed:
            raise SettingsError(f"{at}: must be one of {', '.join(allowed)}, not {_shown(value)}")
        return word

    return read


def _rules(value: object, at: str) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise SettingsError(f"{at}: must be a mapping of rules to deny, warn or off, not {_shown(value)}")
    action = _one_of("deny", "warn", "off")
    return MappingProxyType({str(name): action(entry, f"{at}.{plain(str(name))}") for name, entry in value.items()})


def _yes_or_no(value: object, at: str) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{at}: must be true or false, not {_shown(value)}")
    return value


def _days(value: object, at: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SettingsError(f"{at}: must be a number of days, at least 1, not {_shown(value)}")
    return value


def _name(value: object, at: str) -> str:
    if not isinstance(value, str) or not value:
        raise SettingsError(f"{at}: must be a name, not {_shown(value)}")
    return value


def _version(value: object, at: str) -> str:
    """A bare 1.10 is the number 1.1 in YAML."""
    if not isinstance(value, str) or not (value == "auto" or re.match(r"v?1\.\d", value)):
        raise SettingsError(f'{at}: must be auto or a version of KubeVirt in quotes like "1.8", not {_shown(value)}')
    return value


def _names(value: object, at: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise SettingsError(f"{at}: must be a list of user names, not {_shown(value)}")
    return tuple(_name(entry, f"{at}[{index}]") for index, entry in enumerate(value))


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
