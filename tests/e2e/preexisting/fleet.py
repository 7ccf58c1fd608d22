"""One VM of every kind with every fault, to all of which something is done at once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from tests.e2e.preexisting.api import Answer, Api
from tests.e2e.preexisting.verbs import Verb
from tests.e2e.preexisting.violators import FAULTS, VM, Fault, Kind, make


@dataclass(frozen=True)
class Outcome:
    """What became of the writes for some VMs, by the VMs' names."""

    answers: dict[str, list[Answer]]

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
    """The VMs, older than the webhook."""

    def __init__(self, api: Api, name: str) -> None:
        """Make them; they are named by the fleet's name and a number."""
        self.api = api
        numbered = [(f"{name}-{number}", *sort) for number, sort in enumerate(product(FAULTS, Kind))]
        self.vms = api.all(lambda row: make(api, row[2], row[1], row[0]), numbered)

    def of(self, kinds: Iterable[Kind], faults: Sequence[Fault] = FAULTS) -> list[VM]:
        """Return the VMs of some kinds with some faults."""
        return [vm for vm in self.vms if vm.kind in kinds and vm.fault in faults]

    def prepare(self, verb: Verb) -> None:
        """Do what must have been done before; nobody may deny it."""
        if before := verb.before:
            found = self._do(self.of(verb.kinds), lambda vm: _until_denied(before(self.api, vm)))
            assert (found.denied, found.left_out) == ({}, [])

    def undergo(self, verb: Verb) -> Outcome:
        """Do something to all that it can be done to; what follows a denied write of a VM is left undone."""
        return self._do(self.of(verb.kinds), lambda vm: _until_denied(verb.act(self.api, vm)))

    def each(self, vms: list[VM], write: Callable[[VM], Answer]) -> Outcome:
        """Make one write for each of some VMs."""
        return self._do(vms, lambda vm: [write(vm)])

    def _do(self, vms: list[VM], act: Callable[[VM], list[Answer]]) -> Outcome:
        answers = self.api.all(act, vms)
        return Outcome({str(vm): found for vm, found in zip(vms, answers, strict=True)})


def _until_denied(writes: Iterable[Answer]) -> list[Answer]:
    found: list[Answer] = []
    for answer in writes:
        found.append(answer)
        if not answer.passed:
            break
    return found
