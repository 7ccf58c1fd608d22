"""One VM of every kind with every fault, to all of which something is done at once."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import product

from tests.e2e.preexisting.api import Answer, Api
from tests.e2e.preexisting.verbs import Verb
from tests.e2e.preexisting.violators import FAULTS, VM, Kind, make

Answers = dict[str, list[Answer]]
"""What became of the writes for some VMs, by the VMs' names."""


class Fleet:
    """The VMs, older than the webhook."""

    def __init__(self, api: Api, name: str) -> None:
        """Make them; they are named by the fleet's name and a number."""
        self.api = api
        numbered = [(f"{name}-{number}", *sort) for number, sort in enumerate(product(FAULTS, Kind))]
        self.vms = api.all(lambda row: make(api, row[2], row[1], row[0]), numbered)

    def of(self, kinds: Iterable[Kind]) -> list[VM]:
        """Return the VMs of some kinds."""
        return [vm for vm in self.vms if vm.kind in kinds]

    def undergo(self, verb: Verb) -> None:
        """Do something to all that it can be done to; nobody may deny any of it, or what must be done before."""
        for act in filter(None, (verb.before, verb.act)):
            answers = self.each(self.of(verb.kinds), partial(_until_denied, act, self.api))
            denied = {name: found[-1].message for name, found in answers.items() if found and not found[-1].passed}
            assert denied == {}
            assert all(answers.values()), "some VMs were left out"

    def each(self, vms: list[VM], act: Callable[[VM], list[Answer]]) -> Answers:
        """Do something to some VMs."""
        answers = self.api.all(act, vms)
        return {str(vm): found for vm, found in zip(vms, answers, strict=True)}


def _until_denied(act: Callable[[Api, VM], Iterable[Answer]], api: Api, vm: VM) -> list[Answer]:
    found: list[Answer] = []
    for answer in act(api, vm):
        found.append(answer)
        if not answer.passed:
            break
    return found
