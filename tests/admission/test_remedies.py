"""The remedies of what is denied in a request itself help, done to the letter: labels of ours, patches of a copy."""

from dataclasses import dataclass, field

import pytest

from tests.build import Object, disk, vm
from tests.build_paths import ALICE, CONTROLLER, Answer, ask, clone, exempt, owned, pool, restore, vm_snapshot
from webhook.admission import restores, rights

GOOD, BAD = vm(disk("good")), vm(disk("once"))
ALREADY_EXEMPT = exempt(BAD)
ADDING = {"op": "add", "path": "/spec/template/spec/hostname", "value": "copy"}
UNAPPLIED = {"op": "remove", "path": "/spec/absent"}
DROPPING = [{"op": "remove", "path": f"/metadata/{key}"} for key in ("labels", "annotations")]
CARRY = "Set the same on the restore, clone or pool itself, which needs the right, or patch it out"
ASK = 'Ask for the verb "exempt" on {}, or leave it out'
OF_VMS, OF_NAMESPACES = "virtualmachines.kubevirt.io in namespace vms", "namespaces for namespace vms"
SPACE: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "vms"}}
SPELLED = {"op": "add", "path": "/spec/template/spec/Volumes", "value": [disk("good")]}
OWNING = {"op": "add", "path": "/metadata/ownerReferences", "value": []}
COPYING = {"op": "copy", "from": "/spec/running", "path": "/spec/template/spec/x"}
RUNNING = vm(disk("good"), spec={"running": True})


@dataclass(frozen=True)
class Asked:
    """A request: the object, what else is there, whether its user has the right, and who it is."""

    obj: Object
    there: list[Object] = field(default_factory=list)
    has_right: bool = False
    user: str = ALICE

    def answer(self) -> Answer:
        """Return the answer."""
        return ask(self.obj, None, *self.there, may=[self.user] if self.has_right else [], user=self.user)


@dataclass(frozen=True)
class Denied:
    """A request that a rule denies, its remedy, and by words of that the request as it is then."""

    rule: str
    asked: Asked
    remedy: str
    variants: dict[str, Asked]


SNAPSHOT = vm_snapshot(ALREADY_EXEMPT)
NUMBERED = exempt(vm(disk("once"), name="pool-0"))
BARE_POOL, EXEMPT_POOL = pool(disk("once")), exempt(pool(disk("once")))
DENIED = {
    "a label on a VM": Denied(
        rights.RULE,
        Asked(exempt(GOOD)),
        ASK.format(OF_VMS),
        {"Ask for the verb": Asked(exempt(GOOD), has_right=True), "leave it out": Asked(GOOD)},
    ),
    "a label on a namespace": Denied(
        rights.RULE,
        Asked(exempt(SPACE)),
        ASK.format(OF_NAMESPACES),
        {"Ask for the verb": Asked(exempt(SPACE), has_right=True), "leave it out": Asked(SPACE)},
    ),
    "a label that a restore brings": Denied(
        rights.RULE,
        Asked(restore("new"), vm_snapshot(exempt(GOOD))),
        CARRY,
        {
            "Set the same on the restore": Asked(exempt(restore("new")), SNAPSHOT, has_right=True),
            "patch it out": Asked(restore("new", *DROPPING), vm_snapshot(exempt(GOOD))),
        },
    ),
    "a label that a clone brings": Denied(
        rights.RULE,
        Asked(clone("db"), [exempt(GOOD)]),
        CARRY,
        {
            "clone": Asked(exempt(clone("db")), [ALREADY_EXEMPT], has_right=True),
            "patch it out": Asked(clone("db", *DROPPING), [exempt(GOOD)]),
        },
    ),
    "a label on a VM of a Pool": Denied(
        rights.RULE,
        Asked(owned(NUMBERED, BARE_POOL), [BARE_POOL], user=CONTROLLER),
        CARRY,
        {"pool itself": Asked(owned(NUMBERED, EXEMPT_POOL), [EXEMPT_POOL], user=CONTROLLER)},
    ),
    "patches of a source that is not ready": Denied(
        restores.RULE,
        Asked(restore("new", ADDING), vm_snapshot(GOOD, ready=False)),
        "Leave the patches out, or create it once the source is ready",
        {
            "Leave the patches out": Asked(restore("new"), vm_snapshot(GOOD, ready=False)),
            "once the source is ready": Asked(restore("new", ADDING), vm_snapshot(GOOD)),
        },
    ),
    "patches that do not apply": Denied(
        restores.RULE,
        Asked(clone("db", UNAPPLIED), [GOOD]),
        "Leave the patches out, or correct them so that they apply to the source as it is",
        {
            "Leave the patches out": Asked(clone("db"), [GOOD]),
            "correct them so that they apply": Asked(clone("db", ADDING), [GOOD]),
        },
    ),
    "patches over a VM that is there": Denied(
        restores.RULE,
        Asked(restore("db", ADDING), [GOOD, *vm_snapshot(GOOD)]),
        "Leave the patches out, or restore to a new name",
        {
            "Leave the patches out": Asked(restore("db"), [GOOD, *vm_snapshot(GOOD)]),
            "restore to a new name": Asked(restore("new", ADDING), [GOOD, *vm_snapshot(GOOD)]),
        },
    ),
    "two operations in one patch": Denied(
        restores.RULE,
        Asked(clone("db", '{"op": "remove", "path": "/a"}, {"op": "remove", "path": "/b"}'), [GOOD]),
        "Give one JSON Patch operation in each patch, and each key once",
        {"one JSON Patch operation in each patch": Asked(clone("db", ADDING, ADDING), [GOOD])},
    ),
    "a key twice in a patch": Denied(
        restores.RULE,
        Asked(clone("db", '{"op": "remove", "path": "/spec/running", "path": "/spec/running"}'), [RUNNING]),
        "Give one JSON Patch operation in each patch, and each key once",
        {"each key once": Asked(clone("db", {"op": "remove", "path": "/spec/running"}), [RUNNING])},
    ),
    "a field in another spelling": Denied(
        restores.RULE,
        Asked(clone("db", SPELLED), [GOOD]),
        'Write "volumes"',
        {'Write "volumes"': Asked(clone("db", SPELLED | {"path": "/spec/template/spec/volumes"}), [GOOD])},
    ),
    "a patch of the owner": Denied(
        restores.RULE,
        Asked(clone("db", OWNING, ADDING), [GOOD]),
        "Patch only spec, labels and annotations, and none of restore.kubevirt.io/",
        {"Patch only spec": Asked(clone("db", ADDING), [GOOD])},
    ),
    "patches that copy too much": Denied(
        restores.RULE,
        Asked(clone("db", *[COPYING] * 4), [RUNNING]),
        "Use no more than 3 operations that copy",
        {"no more than 3": Asked(clone("db", *[COPYING] * 3), [RUNNING])},
    ),
}
VARIANTS = [(name, words) for name, denied in DENIED.items() for words in denied.variants]


def test_both_rules_about_requests_have_a_remedy_that_is_done_to_the_letter() -> None:
    assert {denied.rule for denied in DENIED.values()} == {rights.RULE, restores.RULE}


@pytest.mark.parametrize("denied", DENIED.values(), ids=DENIED)
def test_what_is_denied_is_told_its_remedy(denied: Denied) -> None:
    found = denied.asked.answer()
    ends = {message.rpartition(". ")[0].rpartition(". ")[2] for _, message in found.causes}
    assert (found.allowed, {*found.rules, *ends}) == (False, {denied.rule, denied.remedy})


@pytest.mark.parametrize(("name", "words"), VARIANTS, ids=[f"{name}: {words}" for name, words in VARIANTS])
def test_what_a_remedy_says_admits_the_request(name: str, words: str) -> None:
    assert words in DENIED[name].remedy
    assert DENIED[name].variants[words].answer().allowed
