"""The settings file: what it may hold, and how it says what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from webhook.settings import Exemptions, KubeVirt, Settings, SettingsError, Trident

WHOLE = """\
mode: warn                      # deny | warn | off
rules: {smb-share: "off", node-pinned: deny, shared-access: warn}
evictionStrategy: default       # enforce | default | off
exemptions: {requireReason: false, maxDays: 30, excludedUsers: ["system:serviceaccount:argocd:argocd"]}
kubevirt: {namespace: openshift-cnv, version: v1.8.4}
trident: {namespace: storage}
webhookConfigurations: off              # managed | off
"""


def load(text: str | bytes, tmp_path: Path) -> Settings:
    path = tmp_path / "settings.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Settings.load(path)


def denied(tree: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.parse(tree)
    return str(caught.value)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    assert load(WHOLE, tmp_path) == Settings(
        mode="warn",
        rules={"smb-share": "off", "node-pinned": "deny", "shared-access": "warn"},
        eviction_strategy="default",
        exemptions=Exemptions(
            require_reason=False, max_days=30, excluded_users=("system:serviceaccount:argocd:argocd",)
        ),
        kubevirt=KubeVirt(namespace="openshift-cnv", version="v1.8.4"),
        trident=Trident(namespace="storage"),
        webhook_configurations="off",
    )


def test_the_initial_values_are_those_of_the_contract() -> None:
    found = Settings()
    assert (found.mode, dict(found.rules), found.eviction_strategy) == ("deny", {}, "enforce")
    assert found.exemptions == Exemptions(require_reason=True, max_days=90, excluded_users=())
    assert found.kubevirt == KubeVirt(namespace="auto", version="auto")
    assert found.trident == Trident(namespace="auto")
    assert found.webhook_configurations == "managed"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}\n", "null\n"])
def test_an_empty_file_gives_the_initial_values(text: str, tmp_path: Path) -> None:
    assert load(text, tmp_path) == Settings()


def test_what_is_left_out_of_a_part_keeps_its_initial_value() -> None:
    assert Settings.parse({"exemptions": {"maxDays": 7}}).exemptions == Exemptions(max_days=7)


@pytest.mark.parametrize("off", ["off", '"off"', "false"])
def test_a_bare_off_is_understood(off: str, tmp_path: Path) -> None:
    found = load(f"{{mode: {off}, evictionStrategy: {off}, webhookConfigurations: {off}}}\n", tmp_path)
    assert (found.mode, found.eviction_strategy, found.webhook_configurations) == ("off", "off", "off")


@pytest.mark.parametrize("off", ["off", '"off"'])
def test_a_bare_off_of_a_rule_is_understood(off: str, tmp_path: Path) -> None:
    assert dict(load(f"rules: {{shared-access: {off}}}\n", tmp_path).rules) == {"shared-access": "off"}


WRONG: list[tuple[dict[Any, Any], str]] = [
    ({"mode": "strict"}, "mode"),
    ({"mode": True}, "mode"),
    ({"mode": None}, "mode"),
    ({"mode": ["deny"]}, "mode"),
    ({"mode": "\ud800"}, "mode"),
    ({"rules": ["shared-access"]}, "rules"),
    ({"rules": None}, "rules"),
    ({"rules": {"shared-access": "no"}}, "rules.shared-access"),
    ({"rules": {"shared-access": None}}, "rules.shared-access"),
    ({"rules": {"of-the-future": "loud"}}, "rules.of-the-future"),
    ({"rules": {5: "off"}}, "rules"),
    ({"rules": {0xF << 99_999: "loud"}}, "rules.a huge number"),
    ({"evictionStrategy": "LiveMigrate"}, "evictionStrategy"),
    ({"evictionStrategy": 1}, "evictionStrategy"),
    ({"exemptions": []}, "exemptions"),
    ({"exemptions": {"requireReason": "yes"}}, "exemptions.requireReason"),
    ({"exemptions": {"maxDays": 0}}, "exemptions.maxDays"),
    ({"exemptions": {"maxDays": -1}}, "exemptions.maxDays"),
    ({"exemptions": {"maxDays": True}}, "exemptions.maxDays"),
    ({"exemptions": {"maxDays": "90"}}, "exemptions.maxDays"),
    ({"exemptions": {"maxDays": 1.5}}, "exemptions.maxDays"),
    ({"exemptions": {"maxDays": 36_501}}, "exemptions.maxDays"),
    ({"exemptions": False}, "exemptions"),
    ({"exemptions": {"excludedUsers": "admin"}}, "exemptions.excludedUsers"),
    ({"exemptions": {"excludedUsers": ["admin", 5]}}, "exemptions.excludedUsers[1]"),
    ({"exemptions": {"excludedUsers": [""]}}, "exemptions.excludedUsers[0]"),
    ({"kubevirt": "kubevirt"}, "kubevirt"),
    ({"kubevirt": {"namespace": ""}}, "kubevirt.namespace"),
    ({"kubevirt": {"namespace": "Kube Virt"}}, "kubevirt.namespace"),
    ({"kubevirt": {"namespace": "kubevirt\n"}}, "kubevirt.namespace"),
    ({"kubevirt": {"version": 1.8}}, "kubevirt.version"),
    ({"kubevirt": {"version": "2.0"}}, "kubevirt.version"),
    ({"trident": None}, "trident"),
    ({"trident": {"namespace": 5}}, "trident.namespace"),
    ({"webhookConfigurations": "manual"}, "webhookConfigurations"),
    ({"webhookConfigurations": True}, "webhookConfigurations"),
]


@pytest.mark.parametrize(("tree", "setting"), WRONG, ids=[f"{row[1]}-{index}" for index, row in enumerate(WRONG)])
def test_a_wrong_value_is_an_error_that_begins_with_the_setting(tree: dict[str, Any], setting: str) -> None:
    assert denied(tree).startswith(f"{setting}: must be ")


@pytest.mark.parametrize(
    ("tree", "allowed"),
    [
        ({"mode": "strict"}, "deny, warn, off"),
        ({"evictionStrategy": "x"}, "enforce, default, off"),
        ({"webhookConfigurations": "x"}, "managed, off"),
        ({"rules": {"a": "x"}}, "deny, warn, off"),
    ],
    ids=repr,
)
def test_the_error_says_what_is_allowed_and_what_was_found(tree: dict[str, Any], allowed: str) -> None:
    message = denied(tree)
    assert allowed in message
    assert ("'strict'" if "mode" in tree else "'x'") in message


def laughs() -> list[Any]:
    """Return a billion items, as YAML's anchors give them."""
    found: list[Any] = ["ha"] * 10
    for _ in range(8):
        found = [found] * 10
    return found


@pytest.mark.parametrize(
    "value", ["x" * 10_000, ["x"] * 10_000, 0xF << 99_999, laughs()], ids=["text", "list", "number", "tree"]
)
def test_a_long_wrong_value_is_cut_in_the_error(value: object) -> None:
    assert len(denied({"mode": value})) < 200


def test_a_long_unknown_setting_is_cut_in_the_error() -> None:
    assert len(denied({"exemptions": {"x" * 10_000: 1}})) < 200


@pytest.mark.parametrize(
    ("tree", "place", "key"),
    [
        ({"Mode": "deny"}, "settings", "'Mode'"),
        ({5: "deny"}, "settings", "5"),
        ({"\ud800": "deny"}, "settings", r"'\ud800'"),
        ({"exemptions": {"maxdays": 5}}, "exemptions", "'maxdays'"),
        ({"kubevirt": {"name": "x"}}, "kubevirt", "'name'"),
        ({"trident": {"version": "x"}}, "trident", "'version'"),
    ],
    ids=repr,
)
def test_an_unknown_setting_is_an_error_that_names_it_and_those_there_are(
    tree: dict[Any, Any], place: str, key: str
) -> None:
    message = denied(tree)
    assert message.startswith(f"{place}: unknown setting {key}")
    assert "known: " in message


@pytest.mark.parametrize("tree", [[], "deny", 5, True], ids=repr)
def test_settings_that_are_no_mapping_are_an_error(tree: object) -> None:
    assert denied(tree).startswith("settings: must be a mapping")


def test_a_rule_that_this_version_does_not_know_is_reported_and_no_error() -> None:
    found = Settings.parse({"rules": {"z-rule": "off", "shared-access": "warn", "a-rule": "deny"}})
    assert found.unknown_rules(frozenset({"shared-access"})) == ["a-rule", "z-rule"]


@pytest.mark.parametrize(
    "text",
    [
        "mode: [",
        "mode: deny\nmode warn\n",
        "\tmode: deny\n",
        b"mode: \xff\n",
        "a: b\n---\nc: d",
        "mode: 2024-13-45\n",
        "mode: !!bool x\n",
        "mode: !!timestamp x\n",
        "mode: !!binary x\n",
        "mode: !own x\n",
        "? [a]\n: b\n",
        "[" * 5000,
        "mode: {" * 5000,
    ],
    ids=lambda text: repr(text[:24]),
)
def test_a_file_that_is_not_yaml_is_an_error_on_one_line_that_names_it(text: str | bytes, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(text, tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'settings.yaml'}: not YAML: ")
    assert "\n" not in str(caught.value)


def test_a_wrong_value_in_a_file_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load("mode: strict\n", tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'settings.yaml'}: mode: must be ")


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file") as caught:
        Settings.load(tmp_path / "gone.yaml")
    assert "gone.yaml" in str(caught.value)


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        Settings.load(tmp_path)


def test_settings_cannot_be_changed() -> None:
    found = Settings.parse({"rules": {"a": "off"}})
    with pytest.raises(AttributeError):
        found.mode = "off"  # type: ignore[misc]
    with pytest.raises(TypeError):
        found.rules["b"] = "off"  # type: ignore[index]


def test_a_rule_of_a_nasty_name_is_shown_on_one_line() -> None:
    assert "\n" not in denied({"rules": {"a\nb": "loud"}})
