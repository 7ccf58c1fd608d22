"""Values drawn from the schema of a CustomResourceDefinition."""

from collections.abc import Iterator
from random import Random
from typing import Any

from tests.build import Object

ITEM, KEY = "[]", "{}"
"""Steps of a path: any item of a list, any key of a map."""
Path = tuple[str, ...]


def schema_of(definition: Object) -> Object:
    """Return the schema of the version that is stored; an empty one where a definition has none."""
    (version,) = (version for version in definition["spec"]["versions"] if version["storage"])
    found: Object = version["schema"]["openAPIV3Schema"]
    return found


def leaves(schema: Object, path: Path = ()) -> Iterator[Path]:
    """Yield the path of everything in a schema that has no fields of its own."""
    if schema.get("properties"):
        for key, inner in schema["properties"].items():
            yield from leaves(inner, (*path, key))
    elif schema.get("type") == "array":
        yield from leaves(schema["items"], (*path, ITEM))
    elif isinstance(schema.get("additionalProperties"), dict):
        yield from leaves(schema["additionalProperties"], (*path, KEY))
    else:
        yield path


def with_leaf(value: Any, schema: Object, path: Path, random: Random) -> Any:
    """Return the value with another one at a leaf; required fields above it are added."""
    if not path:
        return _other(value, schema, random)
    step, rest = path[0], path[1:]
    if step == ITEM:
        listed = list(value or [])
        index = random.randrange(len(listed) + 1)
        inner = listed[index] if index < len(listed) else _sample(schema["items"])
        listed[index : index + 1] = [with_leaf(inner, schema["items"], rest, random)]
        return listed
    inner_schema = schema["additionalProperties"] if step == KEY else schema["properties"][step]
    key = f"key-{random.randrange(1000)}" if step == KEY else step
    found = value if isinstance(value, dict) else _sample(schema)
    return {**found, key: with_leaf(found.get(key), inner_schema, rest, random)}


def _other(value: Any, schema: Object, random: Random) -> Any:
    """A value that a schema allows for, and that is not this one."""
    if "enum" in schema:
        return random.choice([found for found in schema["enum"] if found != value] or schema["enum"])
    match schema.get("type"):
        case "boolean":
            return value is not True
        case "integer" | "number":
            return (value or 0) + 1
        case "string" if schema.get("format") == "date-time":
            return f"2026-01-01T00:00:{random.randrange(60):02}Z"
        case "string":
            return f"leaf-{random.randrange(10**6)}"
        case "object":
            return {"leaf": f"x{random.randrange(10**6)}"} if schema.get("x-kubernetes-preserve-unknown-fields") else {}
    return f"{random.randrange(1, 10**6)}" if schema.get("x-kubernetes-int-or-string") else {"leaf": "x"}


def _sample(schema: Object) -> Any:
    """The least value that a schema allows for."""
    if schema.get("type") == "object" or "properties" in schema:
        return {key: _sample(schema["properties"][key]) for key in schema.get("required", [])}
    return [] if schema.get("type") == "array" else _other(None, schema, Random(0))
