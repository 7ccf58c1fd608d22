"""The doctor asks for the rights of the webhook's account, and for what of them anyone who runs it may do."""

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
    """Return an answer to access reviews: everything may be done but to these resources."""
    return lambda review: {"status": {"allowed": review["spec"]["resourceAttributes"]["resource"] not in forbidden}}


def ours(answer: Answer) -> list[Finding]:
    """Return what is said of our own rights."""
    return look_at_our_rights(TableApi({OURS: answer}).client)


def theirs(answer: Answer, account: str | None = "webhook", found: Installation | None = None) -> list[Finding]:
    """Return what is said of the rights of the webhook's account."""
    return look_at_rights_of(account, found or installation(), LiveCluster(TableApi({THEIRS: answer})))


def test_who_may_read_everything_is_told_so_in_one_line() -> None:
    assert ours(may("secrets", "events")) == [
        Finding("ok", "rights", f"anyone who runs this, to read: all {len(set(to_read()))} rights are there")
    ]


def test_what_we_may_not_read_is_named_and_is_no_fault_of_the_webhook() -> None:
    (found,) = ours(may("nodes"))
    assert (found.status, found.what) == (
        "warning",
        "anyone who runs this, to read: get or list or watch nodes is not allowed",
    )


def test_an_api_server_that_does_not_answer_for_us_is_an_error() -> None:
    assert [finding.status for finding in ours(500)] == ["error"]


def test_an_account_with_every_right_is_said_to_have_them_in_one_line() -> None:
    total = len({*to_read(), *to_act(), *as_leader(installation())})
    assert theirs(may()) == [Finding("ok", "rights", f"{ACCOUNT}: all {total} rights are there")]


LACKING = [
    ("nodes", ["get or list or watch nodes"]),
    ("events", ["create events"]),
    (
        "leases",
        [
            "create leases.coordination.k8s.io in namespace migratability",
            "get or update or delete leases.coordination.k8s.io migratability-webhook in namespace migratability",
        ],
    ),
    (
        "secrets",
        [
            "create secrets in namespace migratability",
            "get or update or delete or list or watch secrets migratability-webhook-ca in namespace migratability",
        ],
    ),
    (
        "mutatingwebhookconfigurations",
        [
            "get or create or update or patch or delete or list or watch "
            "mutatingwebhookconfigurations.admissionregistration.k8s.io migratability"
        ],
    ),
    ("clusterroles", ["get clusterroles.rbac.authorization.k8s.io registrations"]),
    ("pods", ["list pods in namespace migratability"]),
]


@pytest.mark.parametrize(("resource", "words"), LACKING, ids=[row[0] for row in LACKING])
def test_what_the_account_may_not_do_is_named_though_anyone_who_asks_may(resource: str, words: list[str]) -> None:
    found = theirs(may(resource))
    assert [finding.what for finding in found] == [f"{ACCOUNT}: {word} is not allowed" for word in words]
    assert {finding.status for finding in found} == {"error"}


def test_the_account_is_asked_for_with_its_groups_by_name_and_namespace() -> None:
    asked: list[Any] = []

    def answer(review: Object) -> Object:
        asked.append(review["spec"])
        return {"status": {"allowed": True}}

    theirs(answer)
    groups = ["system:serviceaccounts", "system:serviceaccounts:migratability", "system:authenticated"]
    assert all((spec["user"], spec["groups"]) == (ACCOUNT, groups) for spec in asked)
    secret = {"namespace": "migratability", "name": "migratability-webhook-ca", "group": "", "resource": "secrets"}
    assert {"verb": "get", **{key: value for key, value in secret.items() if value}} in [
        spec["resourceAttributes"] for spec in asked
    ]


def test_no_secret_is_asked_for_where_the_kubelet_mounts_the_certificate() -> None:
    (found,) = theirs(may("secrets"), found=installation(certificates=FILES))
    assert found.status == "ok"


def test_it_is_said_that_the_account_could_not_be_asked_for() -> None:
    (found,) = theirs(403)
    assert (found.status, found.what.startswith(f"not asked for {ACCOUNT}: ")) == ("warning", True)
    (found,) = theirs(may(), account=None)
    assert (found.status, "no pod tells which it is" in found.what) == ("warning", True)


def test_the_account_is_that_of_the_releases_pods() -> None:
    asked: list[Object] = []

    def pods(query: Object) -> Object:
        asked.append(query)
        return {"items": [{"spec": {}}, {"spec": {"serviceAccountName": "webhook"}}]}

    assert account_of(TableApi({PODS: pods}).client, installation()) == "webhook"
    assert [query["labelSelector"] for query in asked] == [INSTALLATION["pods"]]
    assert account_of(TableApi({PODS: {"items": []}}).client, installation()) is None
    assert account_of(TableApi({PODS: 403}).client, installation()) is None
