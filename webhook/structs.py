"""YAML files as frozen msgspec structs: every error names the field and says what is allowed.

A file is camelCase, Python snake_case. An unknown field is an error, so that a typing error is not overlooked.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args, get_origin

import msgspec
import yaml
from msgspec import Meta

from webhook.wording import plain

Name = Annotated[str, Meta(min_length=1, description="a name")]
"""Types of fields: in an error, a value "must be" what the description says."""
Names = Annotated[tuple[Name, ...], Meta(description="a list of names")]

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[dhms])+")
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_LONGEST_SECONDS = 100 * 365 * 86400
_LONGEST_SHOWN = 60
_DENIED = (msgspec.ValidationError, UnicodeEncodeError)
"""What msgspec raises; the second for half a surrogate pair, which YAML's escapes can write."""
_SHOWN = reprlib.Repr()
_SHOWN.maxlevel, _SHOWN.maxstring = 2, _LONGEST_SHOWN


class FieldError(ValueError):
    """A value cannot be used; the message names the field and says what is allowed."""


class Duration(timedelta):
    """A time, in a file written like 8760h, 7d or 1h30m."""

    @classmethod
    def read(cls, value: object) -> Self:
        """Return the time in a value of a file; raises ValueError where there is none."""
        if isinstance(value, str) and _DURATION.fullmatch(value):
            parts = re.findall(r"([\d.]+)([dhms])", value)
            seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
            if 0 < seconds <= _LONGEST_SECONDS:
                return cls(seconds=seconds)
        raise ValueError("not a duration")


Time = Annotated[
    Duration, Meta(description="a duration like 8760h, 7d or 1h30m, longer than nothing and at most 100 years")
]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A mapping in a file."""


class File(Part, frozen=True):
    """The content of a whole file."""

    about: ClassVar[str]
    """How errors name the root of the file."""
    error: ClassVar[type[FieldError]]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return what a YAML file holds; raises ``error``, which names the file, where it cannot be read or used."""
        try:
            return cls.loads(path.read_bytes())
        except OSError as error:
            raise cls.error(f"{path}: {error.strerror}") from error
        except FieldError as error:
            raise cls.error(f"{path}: {error}") from None

    @classmethod
    def loads(cls, content: bytes) -> Self:
        """Return what YAML in UTF-8 holds; raises ``error`` where it cannot be read or used."""
        try:
            tree = yaml.safe_load(content.decode())
        except Exception as error:  # PyYAML lets odd values raise whatever Python raises
            raise cls.error(f"not YAML: {' '.join(str(error).split())}") from error
        return cls.parse(tree)

    @classmethod
    def parse(cls, tree: object) -> Self:
        """Return what a parsed YAML document holds; raises ``error``."""
        try:
            return msgspec.convert(tree, cls, dec_hook=_custom)
        except _DENIED as error:
            raise cls.error(_problem(cls, tree, "", cls.about) or str(error)) from None


def _custom(kind: type, value: object) -> object:
    if kind is Duration:
        return Duration.read(value)
    raise NotImplementedError(kind)


def _problem(kind: Any, value: Any, at: str, root: str) -> str | None:
    """Return the first thing wrong with a value and its place, None where msgspec takes the value."""
    try:
        msgspec.convert(value, kind, dec_hook=_custom)
    except _DENIED as error:
        said = str(error)
    else:
        return None
    if not (isinstance(kind, type) and issubclass(kind, Part)):
        parts, own = _entries(kind, value, at), f"must be {_allowed(kind)}, not {_shown(value)}"
    elif not isinstance(value, Mapping):
        return f"{at or root}: must be a mapping, not {_shown(value)}"
    else:
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for key in value:
            if key not in fields:
                return f"{at or root}: unknown setting {_shown(key)}; known: {', '.join(fields)}"
        prefix = f"{at}." if at else ""
        for name, field in fields.items():
            if field.required and name not in value:
                return f"{prefix}{name}: must be set"
        parts, own = [(fields[name].type, entry, f"{prefix}{name}") for name, entry in value.items()], said
    problems = (_problem(part, entry, place, root) for part, entry, place in parts)
    return next(filter(None, problems), f"{at or root}: {own}")


def _entries(kind: Any, value: object, at: str) -> list[tuple[Any, object, str]]:
    """The type, value and place of what a list or a mapping holds."""
    kind = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if isinstance(value, list) and get_origin(kind) is tuple:
        return [(get_args(kind)[0], entry, f"{at}[{index}]") for index, entry in enumerate(value)]
    if isinstance(value, Mapping) and get_origin(kind) is Mapping:
        shown = {key: plain(key) if isinstance(key, str) else _shown(key) for key in value}
        return [(get_args(kind)[1], entry, f"{at}.{shown[key]}") for key, entry in value.items()]
    return []


def _allowed(kind: Any) -> str:
    """What a value may be: its type's description, or its literals."""
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    return next(meta.description for meta in get_args(kind) if isinstance(meta, Meta) and meta.description)


def _shown(value: object) -> str:
    """A value as an error shows it, shortened."""
    try:
        whole = _SHOWN.repr(value)
    except ValueError:  # Python writes no number of that many digits
        whole = "a huge number"
    return whole if len(whole) <= _LONGEST_SHOWN else whole[: _LONGEST_SHOWN - 3] + "..."
