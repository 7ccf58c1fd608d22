"""Objects of a wrong shape: KubeVirt's own validation denies them."""

import pytest

from tests.admission.client import Webhook, changed
from tests.build import Object, review, vm

STRANGE = {
    "no spec": {key: value for key, value in vm().items() if key != "spec"},
    "spec null": {**vm(), "spec": None},
    "template null": vm() | {"spec": {"template": None}},
    "template a list": vm() | {"spec": {"template": []}},
    "template's spec null": vm() | {"spec": {"template": {"spec": None}}},
    "volumes null": vm(volumes=None),
    "volumes a mapping": vm(volumes={"name": "root"}),
    "a volume null": vm(volumes=[None]),
    "a volume a string": vm(volumes=["root"]),
    "a volume of two numbers": vm({"name": 1, "persistentVolumeClaim": {"claimName": 2}}),
    "a source that is a string": vm({"name": "root", "persistentVolumeClaim": "once"}),
    "templates a string": vm(spec={"dataVolumeTemplates": "x"}),
    "metadata null": {**vm(), "metadata": None},
}


@pytest.mark.parametrize("obj", STRANGE.values(), ids=STRANGE)
def test_a_misshapen_vm_is_allowed_since_kubevirt_itself_denies_it(obj: Object) -> None:
    request = changed(review(vm()), object=obj)
    assert Webhook().validate(request)["allowed"] is True
    assert Webhook().mutate(request)["allowed"] is True
