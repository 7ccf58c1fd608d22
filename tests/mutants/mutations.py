"""Small wrong changes to a Python source, each at one place: what a test must notice."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_PAIRS = [pair.split("/") for pair in ["Eq/NotEq", "Lt/LtE", "Gt/GtE", "In/NotIn", "Is/IsNot", "And/Or", "Add/Sub"]]
_OPPOSITES = {getattr(ast, one): getattr(ast, other) for pair in _PAIRS for one, other in (pair, pair[::-1])}
_FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_SKIPPED_FIELDS = ("annotation", "returns", "decorator_list")

Change = tuple[str, ast.AST, ast.AST]
"""The kind of change, the node that is replaced, and what replaces it."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the bytes from ``start`` to ``end`` of a source, that are the code ``before``, become ``text``."""

    kind: str
    line: int
    start: int
    end: int
    before: str
    text: str

    def applied_to(self, source: str) -> str:
        """Return the source with the change."""
        whole = source.encode()
        return (whole[: self.start] + self.text.encode() + whole[self.end :]).decode()


def mutants_of(source: str) -> list[Mutant]:
    """Return the mutants of a Python source.

    Left out: what no behaviour depends on (docstrings, annotations, decorators, imports, ``__slots__``, log lines) and
    texts for people: f-strings, and strings with a space.
    """
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for kind, place, changed in (change for node in _nodes(ast.parse(source)) for change in _changes(node)):
        assert isinstance(place, ast.expr | ast.stmt)
        start = starts[place.lineno - 1] + place.col_offset
        end = starts[(place.end_lineno or 0) - 1] + (place.end_col_offset or 0)
        found.append(Mutant(kind, place.lineno, start, end, _text(place), _text(changed)))
    return found


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is below it, without what is left out."""
    match node:
        case (
            (ast.Import() | ast.ImportFrom() | ast.JoinedStr() | ast.Expr(value=ast.Constant()))
            | (ast.Subscript(value=ast.Name("Literal")) | ast.If(test=ast.Name("TYPE_CHECKING")))
            | ast.Assign(targets=[ast.Name("__slots__" | "__all__")])
            | ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name("log" | "logger"))))
        ):
            return
    yield node
    for name, value in ast.iter_fields(node):
        if name not in _SKIPPED_FIELDS:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _nodes(child)


def _changes(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=ops):
            for index, operator in enumerate(ops):
                opposite = _OPPOSITES[type(operator)]()
                yield "comparison", node, _with(node, ops=[*ops[:index], opposite, *ops[index + 1 :]])
        case ast.BoolOp(op=operator):
            yield "and/or", node, _with(node, op=_OPPOSITES[type(operator)]())
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as operator, right=right):
            if any(isinstance(side, ast.Constant) and isinstance(side.value, int) for side in (left, right)):
                yield "plus/minus", node, _with(node, op=_OPPOSITES[type(operator)]())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not", node, operand
        case ast.IfExp(body=body, orelse=orelse):
            yield "branches", node, _with(node, body=orelse, orelse=body)
        case ast.If(test=test):
            yield "branches", test, ast.UnaryOp(ast.Not(), test)
        case ast.comprehension(ifs=conditions):
            for condition in conditions:
                yield "filter", condition, ast.UnaryOp(ast.Not(), condition)
        case ast.Constant(value=int() | float() as value):
            yield "constant", node, ast.Constant(not value if isinstance(value, bool) else value + 1)
        case ast.Constant(value=str() as value) if " " not in value:
            yield "constant", node, ast.Constant(f"{value}mutant")
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield "return", value, ast.Constant(None)
        case ast.Call():
            yield from _of_call(node)
        case (ast.Expr() | ast.Raise() | ast.Continue() | ast.Break() | ast.AugAssign() | ast.Delete()) | ast.Assign(
            targets=[ast.Attribute() | ast.Subscript()]
        ):
            yield "statement", node, ast.Pass()


def _of_call(node: ast.Call) -> Iterator[Change]:
    if isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        yield "function", node.func, ast.Name(_FUNCTIONS[node.func.id])
    if len(node.args) > 1:
        yield "argument", node, _with(node, args=node.args[:-1])
    for keyword in node.keywords:
        if keyword.arg:
            yield "argument", node, _with(node, keywords=[other for other in node.keywords if other is not keyword])


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _text(node: ast.AST) -> str:
    """The node's source, in parentheses where an operator beside it could take it apart."""
    written = ast.unparse(node)
    return written if isinstance(node, ast.stmt | ast.Constant | ast.Name | ast.Call) else f"({written})"
