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
ASK_FOR_NAMESPACE = 'Ask for the verb "exempt" on namespaces for namespace vms, or leave it as it is'
ONE = "Give one JSON Patch operation in each patch, and each key once"
ONLY = "Patch only spec, labels and annotations, and none of restore.kubevirt.io/"
WRITE, LEAVE = 'Write "volumes"', "Leave the patches out"
VOLUMES = "/spec/template/spec/volumes"
BAD_POOL = pool(disk("once"))
UNREADY, READY, OVER = vm_snapshot(GOOD, ready=False), vm_snapshot(GOOD), [GOOD, *vm_snapshot(GOOD)]
NAMESPACE = exempt(namespace())
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


WAIT, CORRECT = "create it once the source is ready", "correct them so that they apply to the source as it is"


LABELS: dict[str, tuple[Ask, str, dict[str, Ask]]] = {
    "a label on a namespace": (
        of(NAMESPACE),
        ASK_FOR_NAMESPACE,
        {"Ask for the verb": of(NAMESPACE, right=True), "leave it as it is": of(namespace())},
    ),
    "a label that a restore adds": (
        of(restore("new"), *vm_snapshot(EXEMPT_GOOD)),
        CARRY,
        {
            "Set the same on the restore": of(exempt(restore("new")), *vm_snapshot(EXEMPT_BAD), right=True),
            "patch it out": of(restore("new", *DROPPING), *vm_snapshot(EXEMPT_GOOD)),
        },
    ),
    "a label that a clone adds": (
        of_clone(source=EXEMPT_GOOD),
        CARRY,
        {
            "clone": of(exempt(clone("db")), EXEMPT_BAD, right=True),
            "patch it out": of_clone(*DROPPING, source=EXEMPT_GOOD),
        },
    ),
    "a label on a VM of a Pool": (of_pool(BAD_POOL), CARRY, {"pool itself": of_pool(exempt(BAD_POOL))}),
}
PATCHES: dict[str, tuple[Ask, str, dict[str, Ask]]] = {
    "a source that is not ready": (
        of(restore("new", ADDING), *UNREADY),
        f"{LEAVE}, or {WAIT}",
        {LEAVE: of(restore("new"), *UNREADY), WAIT: of(restore("new", ADDING), *READY)},
    ),
    "patches that do not apply": (
        of_clone(UNAPPLIED),
        f"{LEAVE}, or {CORRECT}",
        {LEAVE: of_clone(), CORRECT: of_clone(ADDING)},
    ),
    "patches over a VM that is there": (
        of(restore("db", ADDING), *OVER),
        f"{LEAVE}, or restore to a new name",
        {LEAVE: of(restore("db"), *OVER), "restore to a new name": of(restore("new", ADDING), *OVER)},
    ),
    "two operations in one patch": (of_clone(TWO), ONE, {"one JSON Patch operation": of_clone(ADDING, ADDING)}),
    "a key twice": (of_clone(TWICE, source=RUNNING), ONE, {"each key once": of_clone(ONCE, source=RUNNING)}),
    "a field in another spelling": (of_clone(SPELLED), WRITE, {WRITE: of_clone(SPELLED | {"path": VOLUMES})}),
    "a patch of the owner": (of_clone(OWNING, ADDING), ONLY, {"Patch only spec": of_clone(ADDING)}),
    "patches that copy too much": (
        of_clone(*[COPYING] * 4, source=RUNNING),
        "Use no more than 3 operations that copy",
        {"no more than 3": of_clone(*[COPYING] * 3, source=RUNNING)},
    ),
}
DENIED = [*((rights.RULE, *row) for row in LABELS.values()), *((restores.RULE, *row) for row in PATCHES.values())]


@pytest.mark.parametrize(("rule", "denied", "remedy", "variants"), DENIED, ids=[*LABELS, *PATCHES])
def test_a_denial_says_the_remedy_and_following_it_admits_the_request(
    rule: str, denied: Ask, remedy: str, variants: dict[str, Ask]
) -> None:
    found = denied()
    ends = {message.rpartition(". ")[0].rpartition(". ")[2] for _, message in found.causes}
    assert (found.allowed, {*found.rules}, ends) == (False, {rule}, {remedy})
    for words, variant in variants.items():
        assert words in remedy
        assert variant().allowed, words
