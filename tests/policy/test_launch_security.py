"""launch-security: memory that only one host can decrypt."""

import pytest

from tests.build import Object, kubevirt, vm
from tests.build_facts import instancetype, preference
from tests.policy.samples import preexisting, table, verdict

SEV, TDX, SECURE = "SEVNotLiveMigratable", "TDXNotLiveMigratable", "SecureExecutionNotLiveMigratable"
VERSIONS = ["v1.5.3", "v1.6.6", "v1.7.1", "v1.9.0"]


def reasons(vm_object: Object, *objects: Object) -> list[str | None]:
    found = verdict(vm_object, *objects).violations
    assert {violation.rule for violation in found} <= {"launch-security"}
    return [violation.reason for violation in found]


def secured(architecture: str = "amd64", **asked: object) -> Object:
    return vm(domain={"launchSecurity": asked}, architecture=architecture)


TECHNIQUES: list[tuple[str, str, Object, str | None, list[str]]] = [
    # technique, architecture, launchSecurity, reason, versions
    ("SEV", "amd64", {"sev": {}}, SEV, VERSIONS),
    ("SEV with a policy", "amd64", {"sev": {"policy": {"encryptedState": True}}}, SEV, VERSIONS),
    ("SEV-SNP", "amd64", {"snp": {}}, SEV, VERSIONS[2:]),
    ("TDX", "amd64", {"tdx": {}}, TDX, VERSIONS[2:]),
    ("secure execution", "s390x", {}, SECURE, VERSIONS[1:]),
    ("nothing", "amd64", {}, None, []),
    ("null", "amd64", {"sev": None, "snp": None, "tdx": None}, None, []),
    ("nothing on arm64", "arm64", {}, None, []),
]


@pytest.mark.parametrize("version", VERSIONS)
@table(TECHNIQUES, "architecture asked reason since")
def test_a_technique_by_kubevirts_version(
    architecture: str, asked: Object, reason: str | None, since: list[str], version: str
) -> None:
    found = reasons(secured(architecture, **asked), kubevirt(version=version))
    assert found == ([reason] if version in since else [])


def test_every_reason_is_reported_at_once_and_sev_and_its_successor_are_one() -> None:
    assert reasons(secured("s390x", sev={}, tdx={})) == [SEV, TDX, SECURE]
    assert reasons(secured(sev={}, snp={})) == [SEV]


def test_the_architecture_of_the_cluster_counts_where_the_vm_names_none() -> None:
    vm_object = vm(domain={"launchSecurity": {}})
    assert reasons(vm_object, {**kubevirt(), "status": {"defaultArchitecture": "s390x"}}) == [SECURE]
    assert reasons(vm_object) == []


@pytest.mark.parametrize("found", [None, "sev", [], 5], ids=repr)
def test_a_value_of_the_wrong_shape_requests_nothing(found: object) -> None:
    assert reasons(vm(domain={"launchSecurity": found}, architecture="s390x")) == []


APPLIED = [
    ("instancetype", instancetype("x", launchSecurity={"sev": {}})),
    ("preference", preference("x", preferredLaunchSecurity={"sev": {}})),
]


@pytest.mark.parametrize(("field", "applied"), APPLIED, ids=[row[0] for row in APPLIED])
def test_what_instancetype_or_preference_request_is_denied_there(field: str, applied: Object) -> None:
    (found,) = verdict(vm(spec={field: {"name": "x"}}), applied).violations
    assert (found.reason, found.field) == (SEV, f"spec.{field}")


def test_what_the_vm_requests_itself_goes_before_its_preference() -> None:
    vm_object = vm(spec={"preference": {"name": "x"}}, domain={"launchSecurity": {"tdx": {}}})
    assert reasons(vm_object, APPLIED[1][1]) == [TDX]


def test_one_technique_for_another_is_preexisting_as_the_same_rule() -> None:
    assert preexisting(secured(tdx={}), old=secured(sev={})) == [True]
