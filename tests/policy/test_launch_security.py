"""launch-security: memory that only one host can decrypt."""

import pytest

from tests.build import Object, kubevirt, vm
from tests.build_facts import preference
from tests.policy.samples import table, verdict

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


ON_S390X = {**kubevirt(), "status": {"defaultArchitecture": "s390x"}}
PREFERRED = preference("x", preferredLaunchSecurity={"sev": {}})
ASKED: list[tuple[str, Object, Object, list[str]]] = [
    ("all at once", secured("s390x", sev={}, tdx={}), kubevirt(), [SEV, TDX, SECURE]),
    ("SEV and its successor, which are one", secured(sev={}, snp={}), kubevirt(), [SEV]),
    ("no architecture, but the cluster has one", vm(domain={"launchSecurity": {}}), ON_S390X, [SECURE]),
    ("no architecture", vm(domain={"launchSecurity": {}}), kubevirt(), []),
    ("what its preference asks for", vm(spec={"preference": {"name": "x"}}), PREFERRED, [SEV]),
    ("no object", vm(domain={"launchSecurity": "sev"}, architecture="s390x"), kubevirt(), []),
]


@table(ASKED, "vm_object fact expected")
def test_every_reason_is_reported_at_once(vm_object: Object, fact: Object, expected: list[str]) -> None:
    assert reasons(vm_object, fact) == expected
