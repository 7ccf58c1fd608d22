"""Files of settings and of the installation: whatever YAML can hold is read, or denied in one short line."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta
from msgspec.structs import fields

from tests import test_installation, test_settings
from tests.test_properties import mutated, thorough
from tests.test_settings import problem
from webhook.installation import Installation
from webhook.settings import Settings
from webhook.structs import File, Part

BOTH = pytest.mark.parametrize("file", [Settings, Installation])
WHOLE = {Settings: yaml.safe_load(test_settings.WHOLE), Installation: yaml.safe_load(test_installation.WHOLE)}
LONGEST = 700
"""Of an error: a rule's name of 253 characters, a value and all the fields that are known."""

ODD = ["x" * 9_999, "off", "1s", "9" * 400 + "s", "auto", "a\nb", "\ud800"]
numbers_and_times = st.integers() | st.floats() | st.dates() | st.datetimes()
texts = st.text(max_size=5) | st.binary(max_size=5) | st.sampled_from(ODD)
scalars = st.none() | st.booleans() | numbers_and_times | texts
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(scalars, inner, max_size=3) | st.sets(scalars, max_size=3)
    ),
    max_leaves=6,
)


@BOTH
@thorough
@given(data=st.data())
def test_any_value_is_read_or_denied_in_one_short_line(file: type[File], data: st.DataObject) -> None:
    sample = WHOLE[file]
    tree = data.draw(values | mutated(sample, by=values) | st.dictionaries(st.sampled_from(sorted(sample)), values))
    said = problem(file, tree)
    assert ("\n" in said, len(said) < LONGEST) == (False, True)


@BOTH
@pytest.mark.parametrize("tree", [[], "deny", 5, True])
def test_a_file_must_hold_a_mapping(file: type[File], tree: object) -> None:
    assert problem(file, tree) == f"{file.about}: must be a mapping, not {tree!r}"


@BOTH
def test_an_error_names_the_file(file: type[File], tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    for content, why in (("a: [", "not YAML"), ("a: 1", f"{file.about}: unknown setting"), (None, "No such file")):
        path.write_text(content) if content else path.unlink()
        with pytest.raises(file.error, match=f"^{path}: {why}"):
            file.load(path)
    with pytest.raises(file.error, match=f"^{tmp_path}: "):
        file.load(tmp_path)


def types(kind: Any) -> list[Any]:
    """Return the types of the values in a file, without those of its parts."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if isinstance(bare, type) and issubclass(bare, Part):
        return [inner for field in fields(bare) for inner in types(field.type)]
    return [kind, *(inner for inner in get_args(bare)[:1] if get_origin(bare) is tuple)]


@BOTH
def test_every_type_of_a_file_says_what_is_allowed(file: type[File]) -> None:
    for kind in types(file):
        described = any(isinstance(meta, Meta) and meta.description for meta in get_args(kind))
        assert described or get_origin(kind) is Literal, kind
