"""Words for messages: one line, bounded, whatever is in them."""

import pytest

from tests.policy.samples import NASTY
from webhook.wording import WARNING_LIMIT, listed, plain, quoted, warning, warning_lines

NAME = "ab cdef ghijklmnop qrstuv" * 60_000
"""1.5 MB in some 180,000 words: quadratic work on it would take minutes."""
MANY = ["x " * 750_000, "word-of-a-length-over-the-shortest " * 43_000, "x" * 1_500_000, NAME]


@pytest.mark.parametrize("text", MANY, ids=["short words", "long words", "one word", "mixed"])
def test_a_huge_text_becomes_a_few_warnings_and_a_quoted_name_of_bounded_length(text: str) -> None:
    lines = warning_lines([text])
    assert len(lines) < 20
    assert all(len(line) <= WARNING_LIMIT for line in lines)
    assert len(quoted(text)) == 253 + 2


def test_escapes_lengthen_a_quoted_name_by_a_bounded_factor() -> None:
    assert len(quoted("\x00" * 1_500_000)) <= 6 * 253 + 2


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a b", ""], '"a b" and ""'),
        (list("abcde"), "a, b, c, d and e"),
        (list("abcdef"), "a, b, c, d, e and 1 more"),
        ([f"w{index}" for index in range(60_000)], "w0, w1, w2, w3, w4 and 59995 more"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_words_are_listed_as_people_do(words: list[str], shown: str) -> None:
    assert listed(words) == shown


PLAIN = ("a", "ontap-nas", "kubevirt.io/v1", "A_b.c-9", "9")
NOT_PLAIN = ("", "-a", ".", "é", "x" * 254, "a\n", *NASTY.values())


@pytest.mark.parametrize("word", [*PLAIN, *NOT_PLAIN], ids=lambda word: ascii(word)[:20])
def test_a_plain_name_is_shown_as_it_is_and_any_other_quoted_on_one_line(word: str) -> None:
    assert plain(word) == (word if word in PLAIN else quoted(word))
    assert (quoted(word).isprintable(), quoted(word).isascii()) == (True, True)


def test_a_warning_of_256_characters_stays_one() -> None:
    text = warning("x " * 124, "rule")
    assert (len(text), warning_lines([text])) == (255, [text])


@pytest.mark.parametrize("length", [1, 63, 240, 253])
def test_a_name_in_a_long_warning_is_never_cut(length: int) -> None:
    name = quoted("n" * length)
    lines = warning_lines([warning(f"{'x' * 100} volume {name} and PVC {name} are not shared", "some-rule")])
    assert sum(line.count(name) for line in lines) == 2
    assert lines[-1].endswith("[some-rule]")
