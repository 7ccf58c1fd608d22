"""The policy's settings: one frozen tree from one YAML file.

A setting left out has its initial value. A rule's name that this version does not know is not an error, since a
rollback must be able to run with the settings of the version it rolls back; it is reported by `Settings.unknown_rules`.
Any other unknown name is one: a brake with a typing error must not seem to be pulled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from webhook import fields
from webhook.fields import FieldError, Reader, shown
from webhook.wording import plain

Mode = Literal["deny", "warn", "off"]
MODES: tuple[Mode, ...] = ("off", "warn", "deny")
"""From the mildest to the strictest."""
EvictionStrategy = Literal["enforce", "default", "off"]


class SettingsError(FieldError):
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
            return fields.load(path, cls.parse)
        except FieldError as error:
            raise SettingsError(str(error)) from None

    @classmethod
    def parse(cls, tree: object) -> Settings:
        """Return the settings that a parsed YAML document holds; raises SettingsError."""
        try:
            return fields.part(cls, "settings", {} if tree is None else tree, _READERS, root=True)
        except FieldError as error:
            raise SettingsError(str(error)) from None

    def unknown_rules(self, known: frozenset[str]) -> list[str]:
        """Return the names under ``rules`` that are not among the known ones."""
        return sorted(set(self.rules) - known)


def _rules(value: object, at: str) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise FieldError(f"{at}: must be a mapping of rules to deny, warn or off, not {shown(value)}")
    action = fields.one_of("deny", "warn", "off")
    return MappingProxyType({str(name): action(entry, f"{at}.{plain(str(name))}") for name, entry in value.items()})


def _days(value: object, at: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise FieldError(f"{at}: must be a number of days, at least 1, not {shown(value)}")
    return value


def _version(value: object, at: str) -> str:
    """A bare 1.10 is the number 1.1 in YAML."""
    if not isinstance(value, str) or not (value == "auto" or re.match(r"v?1\.\d", value)):
        raise FieldError(f'{at}: must be auto or a version of KubeVirt in quotes like "1.8", not {shown(value)}')
    return value


_EXEMPTIONS: Mapping[str, Reader] = {"requireReason": fields.yes_or_no, "maxDays": _days, "notBy": fields.names}
_KUBEVIRT: Mapping[str, Reader] = {"namespace": fields.name, "version": _version}
_READERS: Mapping[str, Reader] = {
    "mode": fields.one_of("deny", "warn", "off"),
    "rules": _rules,
    "evictionStrategy": fields.one_of("enforce", "default", "off"),
    "exemptions": lambda value, at: fields.part(Exemptions, at, value, _EXEMPTIONS),
    "kubevirt": lambda value, at: fields.part(KubeVirt, at, value, _KUBEVIRT),
    "trident": lambda value, at: fields.part(Trident, at, value, {"namespace": fields.name}),
    "registrations": fields.one_of("managed", "off"),
}
