"""Many VMs, to all of which something is done at once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, product

from tests.e2e.preexisting.api import Answer, Api
from tests.e2e.preexisting.verbs import Verb
from tests.e2e.preexisting.violators import FAULTS, NOTHING, VM, Fault, Kind, make

EVERY_SORT = tuple(product(FAULTS, Kind))


@dataclass(frozen=True)
class Outcome:
    """What became of the writes for some VMs, by the VMs' names."""

    answers: dict[str, list[Answer]]

    @property
    def writes(self) -> int:
        """How many there were."""
        return sum(len(answers) for answers in self.answers.values())

    @property
    def denied(self) -> dict[str, str]:
        """Which VMs were denied one, and why."""
        found = ((name, answer) for name, answers in self.answers.items() for answer in answers)
        return {name: answer.message for name, answer in found if not answer.passed}

    @property
    def left_out(self) -> list[str]:
        """The VMs for which there was none."""
        return [name for name, answers in self.answers.items() if not answers]


class Fleet:
    """VMs, and a tally of what was done to them."""

    def __init__(self, api: Api, name: str, sorts: Iterable[tuple[Fault, Kind]]) -> None:
        """Make a VM of each sort; they are named by the fleet's name and a number."""
        self.api = api
        self._outcomes: list[Outcome] = []
        numbered = [(f"{name}-{number}", *sort) for number, sort in enumerate(sorts)]
        self.vms = api.all(lambda row: make(api, row[2], row[1], row[0]), numbered)

    @property
    def tally(self) -> str:
        """What was done so far, in one line."""
        writes = sum(outcome.writes for outcome in self._outcomes)
        denied = sum(len(outcome.denied) for outcome in self._outcomes)
        return f"{len(self.vms)} VMs, {len(self._outcomes)} verbs, {writes} writes, {denied} denied"

    def of(self, kinds: Iterable[Kind], faults: Sequence[Fault] | None = None) -> list[VM]:
        """Return the VMs of some kinds, with any fault or with some."""
        wanted = frozenset(kinds)
        found = [vm for vm in self.vms if vm.kind in wanted]
        return [vm for vm in found if faults is None or vm.fault in faults]

    def prepare(self, verb: Verb) -> None:
        """Do what must have been done before; nobody may deny it."""
        if verb.before:
            before = verb.before
            found = self._do(self.of(verb.kinds), lambda vm: _until_denied(before(self.api, vm)))
            assert (found.denied, found.left_out) == ({}, [])

    def undergo(self, verb: Verb) -> Outcome:
        """Do something to all that it can be done to, and count it in the tally."""
        found = self.attempt(verb)
        self._outcomes.append(found)
        return found

    def attempt(self, verb: Verb) -> Outcome:
        """Do something to all that it can be done to; what follows a denied write of a VM is left undone."""
        return self._do(self.of(verb.kinds), lambda vm: _until_denied(verb.act(self.api, vm)))

    def each(self, vms: list[VM], write: Callable[[VM], Answer]) -> Outcome:
        """Make one write for each of some VMs."""
        return self._do(vms, lambda vm: [write(vm)])

    def _do(self, vms: list[VM], act: Callable[[VM], list[Answer]]) -> Outcome:
        answers = self.api.all(act, vms)
        return Outcome({str(vm): found for vm, found in zip(vms, answers, strict=True)})


def old_violators(api: Api, name: str, count: int) -> Fleet:
    """Make so many violators, of every kind with every fault in turn."""
    turns = -(-count // len(EVERY_SORT))
    return Fleet(api, name, islice(EVERY_SORT * turns, count))


def good_vms(api: Api, name: str) -> Fleet:
    """Make a VM of each kind that violates nothing."""
    return Fleet(api, name, [(NOTHING, kind) for kind in Kind])


def _until_denied(writes: Iterable[Answer]) -> list[Answer]:
    found: list[Answer] = []
    for answer in writes:
        found.append(answer)
        if not answer.passed:
            break
    return found
