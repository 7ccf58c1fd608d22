"""Files of settings and of the installation: whatever YAML can hold is read, or denied in one short line."""

from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta
from msgspec.structs import fields

from tests.controller.fake import INSTALLATION
from tests.test_properties import mutated, thorough
from webhook.installation import Installation
from webhook.settings import Settings
from webhook.structs import File, Part

SETTINGS = {
    "mode": "deny",
    "rules": {"a": "off"},
    "evictionStrategy": "off",
    "exemptions": {"maxDays": 5, "excludedUsers": ["x"]},
    "kubevirt": {"namespace": "a", "version": "1.8"},
}
WHOLE = {
    **INSTALLATION,
    "namespaceSelector": {"matchLabels": {"a": "b"}},
    "clientAuthentication": {"caFile": "/ca.crt", "names": ["x"]},
    "tls": {"minVersion": "1.2"},
}
LONGEST = 700
"""Of an error: a rule's name of 253 characters, a value and all the fields that are known."""

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.dates()
    | st.datetimes()
    | st.sampled_from(["x" * 9_999, "off", "1s", "9" * 400 + "s", "auto", "a\nb", "\ud800"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(scalars, inner, max_size=3) | st.sets(scalars, max_size=3)
    ),
    max_leaves=6,
)


def problem(file: type[File], tree: object) -> str:
    """Return what is wrong with a tree, nothing where it is read."""
    try:
        file.parse(tree)
    except file.error as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("file", "sample"), [(Settings, SETTINGS), (Installation, WHOLE)])
@thorough
@given(data=st.data())
def test_any_value_is_read_or_denied_in_one_short_line(file: type[File], sample: Any, data: st.DataObject) -> None:
    tree = data.draw(values | mutated(sample, by=values) | st.dictionaries(st.sampled_from(sorted(sample)), values))
    said = problem(file, tree)
    assert "\n" not in said
    assert len(said) < LONGEST


def types(kind: Any) -> list[Any]:
    """Return the types of the values in a file, without those of its parts."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if isinstance(bare, type) and issubclass(bare, Part):
        return [inner for field in fields(bare) for inner in types(field.type)]
    return [kind, *(inner for inner in get_args(bare)[:1] if get_origin(bare) is tuple)]


@pytest.mark.parametrize("file", [Settings, Installation])
def test_every_type_of_a_file_says_what_is_allowed(file: type[File]) -> None:
    for kind in types(file):
        described = any(isinstance(meta, Meta) and meta.description for meta in get_args(kind))
        assert described or get_origin(kind) is Literal, kind
