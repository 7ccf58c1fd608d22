"""Which marks are lifted, and when again."""

from dataclasses import replace

import pytest

from webhook.cluster.facts import MarkFacts
from webhook.cluster.resources import MARKED_MACHINES
from webhook.controller.marks import Key, Tried, due, key_of

RESOURCE = MARKED_MACHINES[0]
MARK = MarkFacts("vms", "db", frozenset({"claim/a", "claim/b"}))
KEY = key_of(RESOURCE, MARK)
THERE = [("vms", "a"), ("other", "b")]


def lifted(
    *marks: MarkFacts, claims: list[tuple[str, str]] | None = None, tried: dict[Key, Tried] | None = None
) -> list[tuple[str, frozenset[str]]]:
    """Return the names of the machines whose marks are due at 100, each with what of it is there."""
    found = due(RESOURCE, marks, THERE if claims is None else claims, tried or {}, 100.0)
    return [(mark.name, there) for mark, there in found]


def test_a_mark_is_lifted_when_one_of_its_claims_is_there() -> None:
    assert lifted(MARK) == [("db", frozenset({"claim/a"}))]


@pytest.mark.parametrize("claims", [[], [("other", "a")]], ids=["none", "in another namespace"])
def test_a_mark_of_which_no_claim_is_there_is_left_alone(claims: list[tuple[str, str]]) -> None:
    assert lifted(MARK, claims=claims) == []


def test_one_that_did_not_go_is_tried_again_after_a_while() -> None:
    assert lifted(MARK, tried={KEY: Tried(frozenset({"claim/a"}), 101.0)}) == []
    assert lifted(MARK, tried={KEY: Tried(frozenset({"claim/a"}), 99.0)}) != []


def test_one_that_did_not_go_is_tried_again_when_another_claim_comes() -> None:
    tried = {KEY: Tried(frozenset({"claim/a"}), 1000.0)}
    assert lifted(MARK, claims=[("vms", "a"), ("vms", "b")], tried=tried) == [("db", MARK.names)]


def test_an_instancetype_is_taken_to_be_there_since_nobody_knows() -> None:
    mark = replace(MARK, names=frozenset({"instancetype/large"}))
    assert lifted(mark, claims=[]) == [("db", mark.names)]


def test_of_very_many_only_some_are_lifted_at_once() -> None:
    assert len(lifted(*(replace(MARK, name=f"m{number}") for number in range(50)))) == 10
