"""Which writes the API server asks the webhook about."""

import pytest

from tests.build import Object
from tests.e2e.admission.conftest import ADMIN, NAMES, Site
from tests.e2e.admission.writes import ENFORCEMENT, NOTHING, WRITES, Write, asked


@pytest.mark.parametrize("write", WRITES, ids=str)
def test_the_api_server_asks_only_about_what_can_add_a_violation_or_an_exemption(site: Site, write: Write) -> None:
    obj, answers = write.make(site), []
    assert site.calls(lambda: answers.append(write.act(site, obj))) == write.calls
    assert [done for done, _ in answers] == [write.allowed], answers


@pytest.mark.parametrize("subresource", ["", "/status", "/finalize"], ids=["itself", "status", "finalize"])
def test_a_namespace_is_asked_about_only_when_our_labels_change(site: Site, subresource: str) -> None:
    space: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": next(NAMES)}}
    site.have(space)

    def write(**labels: str) -> None:
        found = site.get(space)
        found["metadata"]["labels"] = {"kubernetes.io/metadata.name": space["metadata"]["name"], **labels}
        assert site.replace(found, subresource, user=ADMIN)[0]

    ours, guarded = {ENFORCEMENT: "warn"}, asked("namespaces", "UPDATE", "/validate")
    assert [
        site.calls(lambda: write(team="a")),
        site.calls(lambda: write(team="a", **ours)),
        site.calls(lambda: write(team="b", **ours)),
        site.calls(lambda: write(team="b")),
    ] == [NOTHING, guarded, NOTHING, guarded]
