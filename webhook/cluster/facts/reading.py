"""Helpers to read facts from objects."""

from __future__ import annotations

from webhook.objects import Object, at, string_map, text

TRIDENT_DOMAIN = "trident.netapp.io/"
INSTANCETYPE_DOMAIN = "instancetype.kubevirt.io/"


def name_of(obj: Object) -> str:
    """Return an object's name, "" where it has none."""
    return text(at(obj, "metadata", "name")) or ""


def lower(value: object) -> str | None:
    """Return a non-empty string in lower case, else None."""
    found = text(value)
    return found.lower() if found else None


def of_domain(value: object, domain: str) -> dict[str, str] | None:
    """Return the labels or annotations of a domain, without the prefix; None for none, to save memory."""
    found = {key.removeprefix(domain): entry for key, entry in string_map(value).items() if key.startswith(domain)}
    return found or None
