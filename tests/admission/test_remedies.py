"""The remedies of what is denied in a request itself help, followed to the letter: our labels, patches of a restore."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.build import Object, disk, vm
from tests.build_paths import (
    ALICE,
    CONTROLLER,
    Answer,
    ask,
    clone,
    exempt,
    namespace,
    owned,
    pool,
    restore,
    vm_snapshot,
)
from webhook.admission import restores, rights

Ask = Callable[[], Answer]
GOOD, BAD = vm(disk("good")), vm(disk("once"))
EXEMPT_GOOD, EXEMPT_BAD = exempt(GOOD), exempt(BAD)
ADDING = {"op": "add", "path": "/spec/template/spec/hostname", "value": "copy"}
UNAPPLIED = {"op": "remove", "path": "/spec/absent"}
DROPPING = [{"op": "remove", "path": f"/metadata/{key}"} for key in ("labels", "annotations")]
CARRY = "Set the same on the restore, clone or pool itself, which needs the right, or patch it out"
ASK_FOR_VMS = 'Ask for the verb "exempt" on virtualmachines.kubevirt.io in namespace vms, or leave it out'
ASK_FOR_NAMESPACE = 'Ask for the verb "exempt" on namespaces for namespace vms, or leave it out'
ONE_OPERATION = "Give one JSON Patch operation in each patch, and each key once"
UNREADY, READY, OVER = vm_snapshot(GOOD, ready=False), vm_snapshot(GOOD), [GOOD, *vm_snapshot(GOOD)]
NAMESPACE, SPACE = exempt(namespace()), namespace()
SPELLED = {"op": "add", "path": "/spec/template/spec/Volumes", "value": [disk("good")]}
OWNING = {"op": "add", "path": "/metadata/ownerReferences", "value": []}
COPYING = {"op": "copy", "from": "/spec/running", "path": "/spec/template/spec/x"}
TWO = '{"op": "remove", "path": "/a"}, {"op": "remove", "path": "/b"}'
TWICE = '{"op": "remove", "path": "/spec/running", "path": "/spec/running"}'
ONCE = {"op": "remove", "path": "/spec/running"}
RUNNING = vm(disk("good"), spec={"running": True})


def of(obj: Object, *there: Object, right: bool = False, user: str = ALICE) -> Ask:
    return partial(ask, obj, None, *there, may=[user] if right else [], user=user)


def of_clone(*patches: Object | str, source: Object = GOOD) -> Ask:
    return of(clone("db", *patches), source)


def of_pool(owner: Object) -> Ask:
    return of(owned(exempt(vm(disk("once"), name="pool-0")), owner), owner, user=CONTROLLER)


DENIED: dict[str, tuple[str, Ask, str, dict[str, Ask]]] = {
    "a label on a VM": (
        rights.RULE,
        of(EXEMPT_GOOD),
        ASK_FOR_VMS,
        {"Ask for the verb": of(EXEMPT_GOOD, right=True), "leave it out": of(GOOD)},
    ),
    "a label on a namespace": (
        rights.RULE,
        of(NAMESPACE),
        ASK_FOR_NAMESPACE,
        {"Ask for the verb": of(NAMESPACE, right=True), "leave it out": of(SPACE)},
    ),
    "a label that a restore adds": (
        rights.RULE,
        of(restore("new"), *vm_snapshot(EXEMPT_GOOD)),
        CARRY,
        {
            "Set the same on the restore": of(exempt(restore("new")), *vm_snapshot(EXEMPT_BAD), right=True),
            "patch it out": of(restore("new", *DROPPING), *vm_snapshot(EXEMPT_GOOD)),
        },
    ),
    "a label that a clone adds": (
        rights.RULE,
        of_clone(source=EXEMPT_GOOD),
        CARRY,
        {
            "clone": of(exempt(clone("db")), EXEMPT_BAD, right=True),
            "patch it out": of_clone(*DROPPING, source=EXEMPT_GOOD),
        },
    ),
    "a label on a VM of a Pool": (
        rights.RULE,
        of_pool(pool(disk("once"))),
        CARRY,
        {"pool itself": of_pool(exempt(pool(disk("once"))))},
    ),
    "patches of a source that is not ready": (
        restores.RULE,
        of(restore("new", ADDING), *UNREADY),
        "Leave the patches out, or create it once the source is ready",
        {
            "Leave the patches out": of(restore("new"), *UNREADY),
            "once the source is ready": of(restore("new", ADDING), *READY),
        },
    ),
    "patches that do not apply": (
        restores.RULE,
        of_clone(UNAPPLIED),
        "Leave the patches out, or correct them so that they apply to the source as it is",
        {"Leave the patches out": of_clone(), "correct them so that they apply": of_clone(ADDING)},
    ),
    "patches over a VM that is there": (
        restores.RULE,
        of(restore("db", ADDING), *OVER),
        "Leave the patches out, or restore to a new name",
        {
            "Leave the patches out": of(restore("db"), *OVER),
            "restore to a new name": of(restore("new", ADDING), *OVER),
        },
    ),
    "two operations in one patch": (
        restores.RULE,
        of_clone(TWO),
        ONE_OPERATION,
        {"one JSON Patch operation in each patch": of_clone(ADDING, ADDING)},
    ),
    "a key twice in a patch": (
        restores.RULE,
        of_clone(TWICE, source=RUNNING),
        ONE_OPERATION,
        {"each key once": of_clone(ONCE, source=RUNNING)},
    ),
    "a field in another spelling": (
        restores.RULE,
        of_clone(SPELLED),
        'Write "volumes"',
        {'Write "volumes"': of_clone(SPELLED | {"path": "/spec/template/spec/volumes"})},
    ),
    "a patch of the owner": (
        restores.RULE,
        of_clone(OWNING, ADDING),
        "Patch only spec, labels and annotations, and none of restore.kubevirt.io/",
        {"Patch only spec": of_clone(ADDING)},
    ),
    "patches that copy too much": (
        restores.RULE,
        of_clone(*[COPYING] * 4, source=RUNNING),
        "Use no more than 3 operations that copy",
        {"no more than 3": of_clone(*[COPYING] * 3, source=RUNNING)},
    ),
}


@pytest.mark.parametrize(("rule", "denied", "remedy", "variants"), DENIED.values(), ids=DENIED)
def test_a_denial_says_the_remedy_and_following_it_admits_the_request(
    rule: str, denied: Ask, remedy: str, variants: dict[str, Ask]
) -> None:
    found = denied()
    ends = {message.rpartition(". ")[0].rpartition(". ")[2] for _, message in found.causes}
    assert (found.allowed, {*found.rules}, ends) == (False, {rule}, {remedy})
    for words, variant in variants.items():
        assert words in remedy
        assert variant().allowed, words
