"""Every path by which a fault can come, with and without an exemption, as the table in `matrix` says.

As with the API server, each object goes through the mutating side first and is then validated with its patch.
"""

from collections import Counter
from collections.abc import Callable
from functools import cache

import jsonpatch
import pytest

from tests.admission.matrix import FAULTS, MOMENTS, OUTCOMES, VARIANTS, WHY_NOT, Cell, cells
from tests.admission.writes import ENDED, LAST_DAY, PATHS
from tests.build_paths import ALICE, Answer, ask
from tests.conftest import Report
from webhook.admission.handler import mutate

CELLS = cells()
WORDS = {
    "without the right": (
        '"alice" may not set',
        'Ask for the verb "exempt" on virtualmachines.kubevirt.io in namespace vms, or leave it as it is. [exemption]',
    ),
    "not carried": (
        "would be set on a VM that KubeVirt creates",
        "Set the same on the restore, clone or pool itself, which needs the right, or patch it out. [exemption]",
    ),
    "unknown patches": (
        "KubeVirt will not apply the patches",
        "Leave the patches out, or restore to a new name. [restore-patches]",
    ),
}
"""What is wrong and what to do, where one of our labels denies the write."""


@cache
def answer_to(cell: Cell) -> Answer:
    """Return the answer to the cell's write as our own patch leaves it; nobody has the right where the cell says so."""
    write = PATHS[cell.path](cell)
    obj = write.obj
    if not (write.subresource or write.source):
        obj = jsonpatch.apply_patch(obj, ask(obj, write.old, *write.there, user=write.user, side=mutate).patch)
    may = () if cell.variant == "exempt without the right" else (ALICE, write.user)
    return ask(obj, write.old, *write.there, user=write.user, subresource=write.subresource, may=may)


def is_about_fault(cell: Cell, line: str) -> bool:
    return cell.fault.of in line and cell.fault.what in line


def is_answered_as_due(cell: Cell) -> bool:
    found, rules = answer_to(cell), cell.rules
    denied_by = (found.allowed, set(found.rules), found.audit.get("denied", ""))
    is_same = found.message == "; ".join(f"{field}: {message}" for field, message in found.causes)
    return denied_by == (not rules, rules, ",".join(sorted(rules))) and is_same


def explains_fault(cell: Cell) -> bool:
    write = PATHS[cell.path](cell)
    causes = [cause for cause in answer_to(cell).causes if cause[1].endswith(f"[{cell.fault.rule}]")]
    place = write.field(cell)
    return [field for field, _ in causes] == [write.source or place] and (
        is_about_fault(cell, causes[0][1])
        and f"{cell.fault.remedy} [{cell.fault.rule}]" in causes[0][1]
        and (not write.source or f"the VM it creates violates a rule at {place}: " in causes[0][1])
    )


def explains_label(cell: Cell) -> bool:
    causes = [cause for cause in answer_to(cell).causes if not cause[1].endswith(f"[{cell.fault.rule}]")]
    what, remedy = WORDS[cell.outcome.label or ""]
    source = PATHS[cell.path](cell).source
    metadata = "spec.template.metadata" if cell.variant == "label in a template" else "metadata"
    due = [f"{metadata}.labels", f"{metadata}.annotations"]
    if cell.outcome.label == "unknown patches":
        due = ["spec.patches"]
    elif cell.outcome.label == "not carried" and source:
        due = [source, source]
    is_explained = all(what in message and message.endswith(remedy) for _, message in causes)
    return is_explained and [field for field, _ in causes] == due


def warns_as_due(cell: Cell) -> bool:
    """Say whether the fault that does not deny and the expired exemption draw a warning each, and else nothing does."""
    warnings = answer_to(cell).warnings
    faults = [line.endswith(cell.reported or "") for line in warnings if is_about_fault(cell, line)]
    has_expired = cell.variant == "expired" and cell.fault.denies and cell.outcome.fault != "unseen"
    if cell.reported is None and not has_expired:
        return warnings == []
    expired = f"exemption from {cell.fault.rule} on the VM ended on {ENDED} [exemption]" in warnings
    return (cell.reported is None or faults == [True]) and (not has_expired or expired)


def logs_the_exemption_that_is_used(cell: Cell) -> bool:
    is_used = cell.outcome.fault == "exempt" and cell.fault.rule is not None
    used = f"{cell.fault.rule} until {LAST_DAY}: moves to NFS in July" if is_used else None
    return answer_to(cell).audit.get("exempted") == used


Predicate = Callable[[Cell], bool]
DUE: dict[str, tuple[Predicate, Predicate]] = {
    "the answer is the table's, and the message says what the causes say": (lambda cell: True, is_answered_as_due),
    "a denial says what is wrong, where, and what to do": (lambda cell: cell.fault.rule in cell.rules, explains_fault),
    "so does a denied label": (lambda cell: cell.outcome.label is not None, explains_label),
    "what must be warned of is": (lambda cell: True, warns_as_due),
    "the audit log has the exemption that is used alone": (lambda cell: True, logs_the_exemption_that_is_used),
    "KubeVirt is never asked for the right, nor is it of help where a label is not carried": (
        lambda cell: PATHS[cell.path](cell).user != ALICE or cell.outcome.label == "not carried",
        lambda cell: answer_to(cell).asked == [],
    ),
}
"""What must hold of a cell, by its description: of which cells, and what."""


def test_the_table_has_every_path_and_explains_and_uses_every_symbol(report: Report) -> None:
    assert list(PATHS) == list(dict.fromkeys(cell.path for cell in CELLS))
    assert {cell.symbol for cell in CELLS} == {*OUTCOMES, *WHY_NOT}
    sizes = f"{len(PATHS)} paths x {len(FAULTS)} faults x {len(MOMENTS)} moments x {len(VARIANTS)} variants"
    report(f"{len(CELLS)} cells: {sizes}")
    for symbol, count in Counter(cell.symbol for cell in CELLS).most_common():
        report(f"{count:5} {OUTCOMES.get(symbol) or f'not applicable: {WHY_NOT[symbol]}'}")


@pytest.mark.parametrize("path", PATHS)
def test_what_is_due_holds_in_every_cell_of_the_row(path: str) -> None:
    row = [cell for cell in CELLS if cell.path == path and cell.symbol in OUTCOMES]
    checked = [(cell, words, holds) for words, (is_due, holds) in DUE.items() for cell in row if is_due(cell)]
    wrong = {f"{cell}: {words}": answer_to(cell) for cell, words, holds in checked if not holds(cell)}
    assert len(checked) >= len(row) > 0
    assert wrong == {}
