"""For every rule: the API server denies the VM, and admits it once the remedy is applied to the letter."""

from typing import Any

import jsonpatch
import pytest

from tests.build import CLAIMS, Object
from tests.e2e.admission.conftest import NAMES, Site
from tests.localcluster.installation import apply
from tests.policy.remedies import REMEDIES, Broken
from webhook.policy.rules import RULES

OF_RUNNING, OF_VERSION = "eviction-strategy", "persistent-reservation"
"""What is denied of a running VM only, and on an older KubeVirt only."""
SAMPLES = {
    rule.name: next(broken for broken in REMEDIES[rule.name] if not broken.objects)
    for rule in RULES
    if rule.default == "deny" and rule.name not in (OF_RUNNING, OF_VERSION)
}


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


@pytest.mark.parametrize(("rule", "broken"), SAMPLES.items(), ids=SAMPLES)
def test_a_vm_is_denied_with_a_remedy_and_admitted_once_it_is_applied(site: Site, rule: str, broken: Broken) -> None:
    created, output = site.create(stored(broken.vm_object))
    assert (created, f"{broken.remedy}. [{rule}]" in output) == (False, True)
    fixed = {words: jsonpatch.apply_patch(broken.vm_object, found.patch) for words, found in broken.variants.items()}
    answers = {words: site.create(stored(vm_object)) for words, vm_object in fixed.items()}
    assert {words: output for words, (created, output) in answers.items() if not created} == {}
