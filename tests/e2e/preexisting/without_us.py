"""With no process of ours to answer: how what is denied looks, and what nobody else may be kept from."""

from re import fullmatch

from tests.build import RWO, Object, claim, data_volume
from tests.build_paths import ALICE, CONTROLLER
from tests.e2e.preexisting.api import Api

_OUT_OF_REACH = r'500: Internal error occurred: failed calling webhook "[a-z-]+\.validate\.migratability\.io".*'
_CLAIM = claim("other", RWO, resources={"requests": {"storage": "1Gi"}})
_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "other", "namespace": "vms"},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}
OTHERS: list[tuple[Object, str]] = [
    ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}, ALICE),
    (_CLAIM, ALICE),
    (data_volume("other", source={"blank": {}}, pvc=_CLAIM["spec"]), CONTROLLER),
    (_POD, CONTROLLER),
]
"""Objects that are no VMs, and who makes them."""


def is_out_of_reach(message: str) -> bool:
    """Say whether an answer is a denial because we could not be asked."""
    return fullmatch(_OUT_OF_REACH, message) is not None


def make_change_and_delete(api: Api, obj: Object, user: str) -> list[str]:
    """Return why the API server denied any of it."""
    labelled = {"metadata": {"labels": {"team": "a"}}}
    answers = [api.create(obj, user), api.patch(obj, labelled, user), api.delete(obj, user)]
    return [answer.message for answer in answers if not answer.passed]
