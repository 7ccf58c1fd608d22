"""The policy's settings: one frozen struct from one YAML file.

A missing setting has its default. An unknown rule is not an error, since a rollback must be able to run with the
settings of the newer version; `webhook.policy.rules.unknown_rules` reports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
from msgspec import Meta

from webhook.structs import FieldError, File, Names, Part

Mode = Literal["deny", "warn", "off"]
MODES: tuple[Mode, ...] = ("off", "warn", "deny")
"""From the mildest to the strictest."""
EvictionStrategy = Literal["enforce", "default", "off"]
AUTO = "auto"
"""Detected from what is installed in the cluster."""

_Namespace = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z", max_length=63, description="auto or the name of a namespace"),
]
_Version = Annotated[
    str,
    Meta(
        pattern=r"^(auto|v?1\.[0-9].*)$",
        description='auto or a version of KubeVirt in quotes like "1.8"',  # a bare 1.10 is the number 1.1 in YAML
    ),
]


class SettingsError(FieldError):
    """The settings cannot be used; the message names the setting and says what is allowed."""


class Exemptions(Part, frozen=True):
    """What an exemption label must come with."""

    require_reason: Annotated[bool, Meta(description="true or false")] = True
    """An exemption counts only with the annotation that says why."""
    max_days: Annotated[int, Meta(ge=1, le=36500, description="a number of days from 1 to 36500")] = 90
    """How many days ahead the last day of an exemption may be."""
    excluded_users: Names = ()
    """Users whose wildcard right to exempt does not count, a GitOps controller with cluster-admin, say."""


class KubeVirt(Part, frozen=True):
    """Where KubeVirt is, and its version."""

    namespace: _Namespace = AUTO
    """The namespace of the KubeVirt CR and of KubeVirt's service accounts."""
    version: _Version = AUTO
    """KubeVirt's version."""


class Trident(Part, frozen=True):
    """Where Trident is."""

    namespace: _Namespace = AUTO
    """The namespace of Trident's custom resources."""


class Settings(File, frozen=True):
    """All settings."""

    about: ClassVar[str] = "settings"
    error: ClassVar[type[FieldError]] = SettingsError

    mode: Mode = "deny"
    """The global mode: caps what every rule does. "off" evaluates nothing and patches nothing."""
    rules: Annotated[Mapping[str, Mode], Meta(description="a mapping of rules to deny, warn or off")] = {}
    """What a rule does, where that is not its default."""
    eviction_strategy: EvictionStrategy = "enforce"
    """Whether evictionStrategy becomes LiveMigrate: always, only where it is unset, or never."""
    exemptions: Exemptions = Exemptions()
    """Exemptions by label."""
    kubevirt: KubeVirt = KubeVirt()
    """KubeVirt."""
    trident: Trident = Trident()
    """Trident."""
    webhook_configurations: Literal["managed", "off"] = "managed"
    """Whether the webhook keeps its own webhook configurations in the API server; "off" removes them."""

    def __post_init__(self) -> None:
        """Make the rules read-only, since threads share the settings."""
        msgspec.structs.force_setattr(self, "rules", MappingProxyType(dict(self.rules)))

    @classmethod
    def parse(cls, tree: object) -> Self:
        """Return the settings that a parsed YAML document holds, the defaults for none; raises SettingsError."""
        return super().parse({} if tree is None else _with_off(tree))


def _with_off(tree: Any) -> Any:
    """The same with the word "off" where YAML reads a bare ``off`` as false."""
    if not isinstance(tree, Mapping):
        return tree
    words = ("mode", "evictionStrategy", "webhookConfigurations")
    found = {key: "off" if value is False and key in words else value for key, value in tree.items()}
    if isinstance(rules := tree.get("rules"), Mapping):
        found["rules"] = {name: "off" if action is False else action for name, action in rules.items()}
    return found
