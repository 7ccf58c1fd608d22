"""The remedy of every rule helps: what its words say, done to the letter, admits the VM."""

import jsonpatch
import pytest

from tests.policy.remedies import REMEDIES, Broken
from tests.policy.samples import STRICT, verdict
from webhook.policy.rules import RULES

BROKEN = [(rule, broken) for rule, found in REMEDIES.items() for broken in found]
VARIANTS = [(rule, broken, words) for rule, broken in BROKEN for words in broken.variants]


def test_every_rule_has_a_remedy_that_is_done_to_the_letter() -> None:
    assert set(REMEDIES) == {rule.name for rule in RULES}


@pytest.mark.parametrize(("rule", "broken"), BROKEN, ids=[rule for rule, _ in BROKEN])
def test_a_vm_that_violates_a_rule_gets_its_remedy(rule: str, broken: Broken) -> None:
    found = verdict(broken.vm_object, *broken.objects, final=True, rules=STRICT.rules)
    assert not found.allowed
    assert {(violation.rule, violation.remedy) for violation in found.violations} == {(rule, broken.remedy)}


@pytest.mark.parametrize(("rule", "broken", "words"), VARIANTS, ids=[f"{rule}: {words}" for rule, _, words in VARIANTS])
def test_what_a_remedy_says_admits_the_vm(rule: str, broken: Broken, words: str) -> None:
    variant = broken.variants[words]
    fixed = jsonpatch.apply_patch(broken.vm_object, variant.patch)
    assert words in broken.remedy
    objects = broken.objects if variant.objects is None else variant.objects
    assert verdict(fixed, *objects, final=True, rules=STRICT.rules).violations == []
