"""The doctor checks the rights of the webhook's account, and those to read of its own user."""

from typing import Any

import pytest

from tests.build import Object
from tests.controller.fake import INSTALLATION, PODS, installation
from tests.doctor.fake_api import Answer, TableApi
from webhook.cluster.live import LiveCluster
from webhook.doctor.finding import Finding
from webhook.doctor.release import account_of
from webhook.doctor.rights import as_leader, look_at_our_rights, look_at_rights_of, to_act, to_read
from webhook.installation import Installation

OURS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
THEIRS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
ACCOUNT = "system:serviceaccount:migratability:webhook"
FILES = {"source": "files", "certFile": "/a", "keyFile": "/b", "caFile": "/c"}


def may(*forbidden: str) -> Answer:
    """Return an answer to access reviews: everything is allowed but these resources."""
    return lambda review: {"status": {"allowed": review["spec"]["resourceAttributes"]["resource"] not in forbidden}}


def ours(answer: Answer) -> list[Finding]:
    return look_at_our_rights(TableApi({OURS: answer}).client)


def theirs(answer: Answer, account: str | None = "webhook", found: Installation | None = None) -> list[Finding]:
    return look_at_rights_of(account, found or installation(), LiveCluster(TableApi({THEIRS: answer})))


def test_account_with_every_right_is_one_line() -> None:
    reading, every = set(to_read()), {*to_read(), *to_act(), *as_leader(installation())}
    what = f"your own account, to read: all {len(reading)} rights are granted"
    assert ours(may("secrets", "events")) == [Finding("ok", "rights", what)]
    assert theirs(may()) == [Finding("ok", "rights", f"{ACCOUNT}: all {len(every)} rights are granted")]


def test_what_we_may_not_read_is_only_a_warning_but_an_api_server_that_does_not_answer_an_error() -> None:
    (found,), (unanswered,) = ours(may("nodes")), ours(500)
    assert found.what == "your own account, to read: get or list or watch nodes is not allowed"
    assert (found.status, unanswered.status) == ("warning", "error")


LACKING = {
    "nodes": ["get or list or watch nodes"],
    "events": ["create events"],
    "leases": [
        "create leases.coordination.k8s.io in namespace migratability",
        "get or update or delete leases.coordination.k8s.io migratability-webhook in namespace migratability",
    ],
    "secrets": [
        "create secrets in namespace migratability",
        "get or update or delete or list or watch secrets migratability-webhook-ca in namespace migratability",
    ],
    "mutatingwebhookconfigurations": [
        "get or create or update or patch or delete or list or watch "
        "mutatingwebhookconfigurations.admissionregistration.k8s.io migratability"
    ],
    "clusterroles": ["get clusterroles.rbac.authorization.k8s.io registrations"],
    "pods": ["list pods in namespace migratability"],
}


@pytest.mark.parametrize(("resource", "words"), LACKING.items(), ids=LACKING)
def test_right_that_the_account_lacks_is_an_error_that_names_it(resource: str, words: list[str]) -> None:
    found = theirs(may(resource))
    assert [finding.what for finding in found] == [f"{ACCOUNT}: {word} is not allowed" for word in words]
    assert {finding.status for finding in found} == {"error"}


def test_account_is_asked_for_with_its_groups_by_name_and_namespace() -> None:
    asked: list[Any] = []

    def answer(review: Object) -> Object:
        asked.append(review["spec"])
        return {"status": {"allowed": True}}

    theirs(answer)
    groups = ["system:serviceaccounts", "system:serviceaccounts:migratability", "system:authenticated"]
    assert all((spec["user"], spec["groups"]) == (ACCOUNT, groups) for spec in asked)
    secret = {"namespace": "migratability", "name": "migratability-webhook-ca", "resource": "secrets"}
    assert {"verb": "get", **secret} in [spec["resourceAttributes"] for spec in asked]
    (found,) = theirs(may("secrets"), found=installation(certificates=FILES))
    assert found.status == "ok", "no Secret is asked for where the kubelet mounts the certificate"


def test_account_that_could_not_be_checked_is_a_warning() -> None:
    (forbidden,), (unknown,) = theirs(403), theirs(may(), account=None)
    assert (forbidden.status, unknown.status) == ("warning", "warning")
    assert forbidden.what.startswith(f"not checked for {ACCOUNT}: ")
    assert unknown.what == "not checked for the webhook's account: no pod shows its name"


def test_account_is_that_of_the_releases_pods() -> None:
    def pods(query: Object) -> Object:
        assert query["labelSelector"] == INSTALLATION["pods"]
        return {"items": [{"spec": {}}, {"spec": {"serviceAccountName": "webhook"}}]}

    answers: list[tuple[Answer, str | None]] = [(pods, "webhook"), ({"items": []}, None), (403, None)]
    for answer, account in answers:
        assert account_of(TableApi({PODS: answer}).client, installation()) == account
