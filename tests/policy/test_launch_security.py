"""launch-security: memory that only one host can decrypt."""

import pytest

from tests.build import CLUSTER, Object, kubevirt, vm, vmi
from tests.build_facts import instancetype, preference
from webhook import Verdict, evaluate

RULE = "launch-security"
SEV, TDX, SECURE = "SEVNotLiveMigratable", "TDXNotLiveMigratable", "SecureExecutionNotLiveMigratable"
FIELD = "spec.template.spec.domain.launchSecurity"
VERSIONS = ["v1.5.3", "v1.6.6", "v1.7.1", "v1.8.4", "v1.9.0"]


def verdict(vm_object: Object, *objects: Object, version: str | None = None, old: Object | None = None) -> Verdict:
    cluster = [*CLUSTER, kubevirt(version=version), *objects]
    return evaluate(vm_object, cluster, old=old, operation="UPDATE" if old else "CREATE")


def reasons(vm_object: Object, *objects: Object, version: str | None = None) -> list[str | None]:
    found = verdict(vm_object, *objects, version=version).violations
    assert {violation.rule for violation in found} <= {RULE}
    return [violation.reason for violation in found]


def secured(architecture: str = "amd64", **asked: object) -> Object:
    return vm(domain={"launchSecurity": asked}, architecture=architecture)


TECHNIQUES: list[tuple[str, str, Object, str | None, list[str]]] = [
    # technique, architecture, launchSecurity, reason, versions
    ("SEV", "amd64", {"sev": {}}, SEV, VERSIONS),
    ("SEV with a policy", "amd64", {"sev": {"policy": {"encryptedState": True}}}, SEV, VERSIONS),
    ("SEV-SNP", "amd64", {"snp": {}}, SEV, ["v1.7.1", "v1.8.4", "v1.9.0"]),
    ("TDX", "amd64", {"tdx": {}}, TDX, ["v1.7.1", "v1.8.4", "v1.9.0"]),
    ("secure execution", "s390x", {}, SECURE, ["v1.6.6", "v1.7.1", "v1.8.4", "v1.9.0"]),
    ("nothing", "amd64", {}, None, []),
    ("null", "amd64", {"sev": None, "snp": None, "tdx": None}, None, []),
    ("nothing on arm64", "arm64", {}, None, []),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("architecture", "asked", "reason", "since"), [row[1:] for row in TECHNIQUES], ids=[row[0] for row in TECHNIQUES]
)
def test_a_technique_by_kubevirts_version(
    architecture: str, asked: Object, reason: str | None, since: list[str], version: str
) -> None:
    assert reasons(secured(architecture, **asked), version=version) == ([reason] if version in since else [])


def test_every_reason_is_told_at_once() -> None:
    assert reasons(secured("s390x", sev={}, tdx={})) == [SEV, TDX, SECURE]


def test_sev_and_its_successor_are_one_reason() -> None:
    assert reasons(secured(sev={}, snp={})) == [SEV]


def test_the_architecture_of_the_cluster_counts_where_the_vm_names_none() -> None:
    vm_object = vm(domain={"launchSecurity": {}})
    cr = kubevirt()
    cr["status"]["defaultArchitecture"] = "s390x"
    assert reasons(vm_object, cr) == [SECURE]
    assert reasons(vm_object) == []


@pytest.mark.parametrize("found", [None, "sev", [], 5], ids=repr)
def test_what_has_the_wrong_shape_asks_for_nothing(found: object) -> None:
    assert reasons(vm(domain={"launchSecurity": found}, architecture="s390x")) == []


def test_the_violation_says_where_what_and_why() -> None:
    (found,) = verdict(secured(tdx={})).violations
    assert (found.rule, found.reason, found.action) == (RULE, TDX, "deny")
    assert (found.volume, found.field) == (None, FIELD)
    assert "TDX" in found.message
    assert "cannot live-migrate" in found.message


def test_an_vmi_is_evaluated_at_its_own_path() -> None:
    (found,) = verdict(vmi(domain={"launchSecurity": {"sev": {}}})).violations
    assert found.field == "spec.domain.launchSecurity"


APPLIED = [
    ("instancetype", instancetype("x", launchSecurity={"sev": {}})),
    ("preference", preference("x", preferredLaunchSecurity={"sev": {}})),
]


@pytest.mark.parametrize(("field", "applied"), APPLIED, ids=[row[0] for row in APPLIED])
def test_what_instancetype_or_preference_ask_for_is_denied_there(field: str, applied: Object) -> None:
    (found,) = verdict(vm(spec={field: {"name": "x"}}), applied).violations
    assert (found.reason, found.field) == (SEV, f"spec.{field}")


def test_what_the_vm_asks_for_itself_goes_before_its_preference() -> None:
    vm_object = vm(spec={"preference": {"name": "x"}}, domain={"launchSecurity": {"tdx": {}}})
    assert reasons(vm_object, APPLIED[1][1]) == [TDX]


def test_one_technique_for_another_is_preexisting_as_the_same_rule() -> None:
    found = verdict(secured(tdx={}), old=secured(sev={}))
    assert [violation.preexisting for violation in found.violations] == [True]


def test_launch_security_that_an_update_brings_is_denied() -> None:
    assert not verdict(secured(sev={}), old=vm()).allowed
