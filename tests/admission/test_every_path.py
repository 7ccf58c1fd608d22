"""Every path by which a fault can come, with and without an exemption, as the table of `matrix` has it.

As with the API server, each object goes through the mutating side first and is then validated with its patch.
"""

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import jsonpatch
import pytest

from tests.admission.matrix import FAULTS, MOMENTS, OUTCOMES, WAYS, WHY_NOT, Cell, cells
from tests.admission.writes import ENDED, LAST_DAY, PATHS, Write
from tests.build_paths import ALICE, Answer, ask
from webhook.admission.handler import mutate

Test = TypeVar("Test", bound=Callable[..., None])
CELLS = cells()
APPLICABLE = [cell for cell in CELLS if cell.why_not is None]
WORDS = {
    "without the right": (
        '"alice" may not set',
        'Ask for the verb "exempt" on virtualmachines.kubevirt.io in namespace vms, or leave it out. [exemption]',
    ),
    "not carried": (
        "would come with a machine that KubeVirt makes",
        "Set the same on the restore, clone or pool itself, which needs the right, or patch it out. [exemption]",
    ),
    "unknown patches": (
        "KubeVirt will not apply the patches",
        "Leave the patches out, or restore to a new name. [restore-patches]",
    ),
}
"""What is wrong and what to do, where a label refuses the write."""


def each(holds: Callable[[Cell], bool]) -> Callable[[Test], Test]:
    """Return a decorator that runs a test over the cells of which this holds."""
    return pytest.mark.parametrize("cell", [cell for cell in APPLICABLE if holds(cell)], ids=str)


@cache
def answer_to(cell: Cell) -> Answer:
    """Return the answer to the cell's write as our own patch leaves it; nobody has the right where the way says so."""
    write = PATHS[cell.path](cell)
    obj = write.obj
    if not (write.subresource or write.source):
        obj = jsonpatch.apply_patch(obj, ask(obj, write.old, *write.there, user=write.user, side=mutate).patch)
    may = () if cell.way == "exempt without the right" else (ALICE, write.user)
    return ask(obj, write.old, *write.there, user=write.user, subresource=write.subresource, may=may)


def is_about_fault(cell: Cell, line: str) -> bool:
    return cell.fault.of in line and cell.fault.what in line


def ends(cell: Cell) -> bool:
    """Whether the answer must say that the exemption is over: where it would have helped."""
    return cell.way == "expired" and cell.fault.refuses and cell.outcome.fault != "unseen"


def summary(cell: Cell) -> str:
    """Return what is printed of a cell."""
    if cell.why_not:
        return f"not applicable: {cell.why_not}"
    return f"refused by {' and '.join(sorted(cell.rules))}" if cell.rules else "admitted"


def test_the_table_has_every_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(PATHS) == list(dict.fromkeys(cell.path for cell in CELLS))
    with capsys.disabled():
        sizes = f"{len(PATHS)} paths x {len(FAULTS)} faults x {len(MOMENTS)} moments x {len(WAYS)} ways"
        print(f"\n  {len(CELLS)} cells: {sizes}")
        for outcome, count in Counter(map(summary, CELLS)).most_common():
            print(f"  {count:5} {outcome}")


def test_every_mark_of_the_table_is_explained_and_used() -> None:
    assert {cell.mark for cell in CELLS} == {*OUTCOMES, *WHY_NOT}


@each(lambda cell: True)
def test_what_is_due_is_answered(cell: Cell) -> None:
    found = answer_to(cell)
    assert (found.allowed, set(found.rules)) == (not cell.rules, cell.rules)
    assert found.audit.get("refused", "") == ",".join(sorted(cell.rules))


@each(lambda cell: cell.fault.rule in cell.rules)
def test_a_refusal_says_what_is_wrong_where_and_what_to_do(cell: Cell) -> None:
    write = PATHS[cell.path](cell)
    causes = [cause for cause in answer_to(cell).causes if cause[1].endswith(f"[{cell.fault.rule}]")]
    ((field, message),) = causes
    place = write.field(cell)
    assert field == (write.source or place)
    assert is_about_fault(cell, message)
    assert f"{cell.fault.remedy} [{cell.fault.rule}]" in message
    assert not write.source or f"the machine that it makes breaks a rule at {place}: " in message


@each(lambda cell: cell.outcome.label is not None)
def test_a_refused_label_says_what_is_wrong_where_and_what_to_do(cell: Cell) -> None:
    write = PATHS[cell.path](cell)
    causes = [cause for cause in answer_to(cell).causes if not cause[1].endswith(f"[{cell.fault.rule}]")]
    what, remedy = WORDS[cell.outcome.label or ""]
    assert all(what in message and message.endswith(remedy) for _, message in causes)
    assert [field for field, _ in causes] == fields_of_label(cell, write)


def fields_of_label(cell: Cell, write: Write) -> list[str]:
    """Return where the label and its reason stand, in the terms of the object that was written."""
    if cell.outcome.label == "unknown patches":
        return ["spec.patches"]
    if cell.outcome.label == "not carried" and write.source:
        return [write.source, write.source]
    metadata = "spec.template.metadata" if cell.way == "label in a template" else "metadata"
    return [f"{metadata}.labels", f"{metadata}.annotations"]


@each(lambda cell: bool(cell.rules))
def test_the_message_of_a_refusal_says_what_its_causes_say(cell: Cell) -> None:
    found = answer_to(cell)
    assert found.message == "; ".join(f"{field}: {message}" for field, message in found.causes)


@each(lambda cell: cell.told is not None)
def test_a_fault_that_does_not_refuse_is_told_in_a_warning(cell: Cell) -> None:
    warnings = [line for line in answer_to(cell).warnings if is_about_fault(cell, line)]
    assert [line.endswith(cell.told or "") for line in warnings] == [True]


@each(lambda cell: cell.fault.rule is not None and cell.outcome.fault == "exempt")
def test_an_exemption_is_kept_in_the_audit_log(cell: Cell) -> None:
    found = answer_to(cell)
    assert found.audit["exempted"] == f"{cell.fault.rule} until {LAST_DAY}: moves to NFS in July"


@each(lambda cell: cell.outcome.fault != "exempt")
def test_without_an_exemption_the_audit_log_keeps_none(cell: Cell) -> None:
    assert "exempted" not in answer_to(cell).audit


@each(ends)
def test_an_exemption_that_is_over_is_told(cell: Cell) -> None:
    line = f"exemption from {cell.fault.rule} on the machine ended on {ENDED} [exemption]"
    assert line in answer_to(cell).warnings


@each(lambda cell: cell.told is None and not ends(cell))
def test_where_nothing_is_to_be_told_there_is_no_warning(cell: Cell) -> None:
    assert answer_to(cell).warnings == []


@each(lambda cell: PATHS[cell.path](cell).user != ALICE)
def test_kubevirt_is_never_asked_for_the_right(cell: Cell) -> None:
    assert answer_to(cell).asked == []
