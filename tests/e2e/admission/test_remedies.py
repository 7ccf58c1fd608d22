"""For every rule: the API server denies the VM, and admits it once the remedy is applied to the letter."""

from typing import Any

import jsonpatch
import pytest

from tests.build import CLAIMS, Object
from tests.e2e.admission.conftest import NAMES, Site, restore, vm
from tests.localcluster.installation import apply
from tests.policy.remedies import REMEDIES, Broken
from tests.workloads import eventually
from webhook.policy.rules import RULES

OF_RUNNING, OF_VERSION = "eviction-strategy", "persistent-reservation"
"""What is denied of a running VM only, and on an older KubeVirt only."""
DENIED = [rule.name for rule in RULES if rule.default == "deny"]
SAMPLES = {
    rule: next(broken for broken in REMEDIES[rule] if not broken.objects)
    for rule in DENIED
    if rule not in (OF_RUNNING, OF_VERSION)
}
_SEEN = "the webhook goes by the changed KubeVirt CR"


@pytest.fixture(scope="module", autouse=True)
def claims(site: Site) -> None:
    """Make the PVCs that the VMs and remedies name, beside those that are there."""
    room = {"resources": {"requests": {"storage": "1Gi"}}}
    more = [claim for claim in CLAIMS if claim["metadata"]["name"] not in ("good", "once")]
    apply(site.cluster, [{**claim, "spec": {**claim["spec"], **room}} for claim in more])


def stored(vm_object: Object) -> Object:
    """Return a VM under a name of its own as KubeVirt's definitions take it."""
    fresh: Any = jsonpatch.apply_patch(vm_object, [{"op": "replace", "path": "/metadata/name", "value": next(NAMES)}])
    fresh["spec"]["runStrategy"] = "Halted"
    fresh["spec"]["template"]["spec"]["domain"].setdefault("devices", {})
    found: Object = fresh
    return found


def denies(site: Site, rule: str, broken: Broken) -> bool:
    created, output = site.create(stored(broken.vm_object))
    return not created and f"{broken.remedy}. [{rule}]" in output


def fixed(broken: Broken, words: str) -> Object:
    """Return a VM with a part of its remedy done."""
    return stored(jsonpatch.apply_patch(broken.vm_object, broken.variants[words].patch))


@pytest.mark.parametrize(("rule", "broken"), SAMPLES.items(), ids=SAMPLES)
def test_a_vm_is_denied_with_a_remedy_and_admitted_once_it_is_applied(site: Site, rule: str, broken: Broken) -> None:
    assert denies(site, rule, broken)
    answers = {words: site.create(fixed(broken, words)) for words in broken.variants}
    assert {words: output for words, (created, output) in answers.items() if not created} == {}


def test_a_reservation_is_admitted_once_it_is_removed_or_kubevirt_is_newer(site: Site) -> None:
    (broken,) = REMEDIES[OF_VERSION]
    removal, upgrade = broken.variants
    apply(site.cluster, list(broken.objects))
    try:
        eventually(_SEEN, lambda: denies(site, OF_VERSION, broken))
        assert site.create(fixed(broken, removal))[0]
    finally:
        apply(site.cluster, list(broken.variants[upgrade].objects or ()))
    eventually(_SEEN, lambda: site.create(fixed(broken, upgrade))[0])


@pytest.mark.parametrize("value", [None, "LiveMigrate"], ids=["removed", "set to LiveMigrate"])
def test_a_lowered_strategy_of_a_running_vm_is_denied_until_it_is(site: Site, value: str | None) -> None:
    vm_object = site.have(vm("good"))
    assert site.patch(vm_object, {"status": {"created": True}}, "--subresource=status")[0]
    lowered, output = site.patch(vm_object, strategy("None"))
    assert (lowered, f"{REMEDIES[OF_RUNNING][0].remedy}. [{OF_RUNNING}]" in output) == (False, True)
    assert site.patch(vm_object, strategy(value))[0]


def strategy(value: str | None) -> Object:
    """Return the merge patch that sets a VM's strategy."""
    return {"spec": {"template": {"spec": {"evictionStrategy": value}}}}


def test_a_restore_is_admitted_once_patches_that_nobody_can_evaluate_are_left_out(site: Site) -> None:
    plain = restore("absent", next(NAMES))
    patch = '{"op": "add", "path": "/spec/template/spec/hostname", "value": "x"}'
    created, output = site.create({**plain, "spec": {**plain["spec"], "patches": [patch]}})
    assert (created, "Leave the patches out" in output, "[restore-patches]" in output) == (False, True, True)
    assert site.create(plain)[0]
