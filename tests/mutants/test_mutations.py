import ast

import pytest

from tests.mutants import __main__ as tool
from tests.mutants.mutations import mutants_of


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {"a <= b", "pass"}),
        ("a in b", {"a not in b", "pass"}),
        ("a and b", {"a or b", "pass"}),
        ("x = not a", {"x = a"}),
        ("x = a if b else c", {"x = c if b else a"}),
        ("x = [a for a in b if c]", {"x = [a for a in b if not c]"}),
        ("x = True", {"x = False"}),
        ("x = n + 1", {"x = n - 1", "x = n + 2"}),
        ("x = 'word'", {"x = 'wordmutant'"}),
        ("x = min(a)", {"x = max(a)"}),
        ("x = f(a, b)", {"x = f(a)"}),
        ("x = f(a, b=c)", {"x = f(a)"}),
        ("x.a = b", {"pass"}),
        ("raise a", {"pass"}),
        ("def f():\n    return a", {"def f():\n    return None"}),
        ("if a:\n    x = b", {"if not a:\n    x = b"}),
        ("x = not (ä or b)", {"x = (ä or b)", "x = not (ä and b)"}),
    ],
)
def test_each_mutant_changes_one_place(source: str, expected: set[str]) -> None:
    changed = {ast.unparse(ast.parse(mutant.applied_to(source))) for mutant in mutants_of(source)}
    assert changed == {ast.unparse(ast.parse(text)) for text in expected}


NOTHING = """
'''A docstring.'''
x: Literal['a', 'b']
Mode = Literal['a', 'b']
__slots__ = ('a',)
logger.warning('unready', extra={'a': 1})
x = f'{a}/1'
x = 'a text for people'
from a import b
if TYPE_CHECKING: x = 1
@dataclass(frozen=True)
class A: b: int
"""


def test_what_no_behaviour_depends_on_has_no_mutants() -> None:
    assert mutants_of(NOTHING) == []


@pytest.mark.parametrize("package", tool.GUARDS)
def test_every_package_exists_with_its_guards(package: str) -> None:
    assert (tool.ROOT / "webhook" / package).is_dir()
    assert [path for path in tool.GUARDS[package] if not (tool.ROOT / path).exists()] == []


def test_a_seed_draws_the_same_mutants_again_and_every_kind_of_them_early() -> None:
    drawn = tool.drawn_from("policy", 7)
    assert drawn == tool.drawn_from("policy", 7)
    assert drawn != tool.drawn_from("policy", 8)
    assert {mutant.kind for _, mutant in drawn[:30]} == {mutant.kind for _, mutant in drawn}


@pytest.mark.parametrize("arguments", [["--package", "none"], ["--per-package", "0"], ["--jobs", "x"], ["more"]])
def test_bad_usage_ends_with_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        tool.main(arguments)


def test_a_mutant_is_shown_with_the_code_before_and_after() -> None:
    (mutant,) = mutants_of("\nx = not a")
    assert tool.shown("file.py", mutant) == "  file.py:2 (not)\n    - (not a)\n    + a"
