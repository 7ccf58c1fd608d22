"""The settings file: what it may hold, and how it says what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from webhook.settings import Exemptions, KubeVirt, Settings, SettingsError, Trident

WHOLE = """\
mode: warn                      # deny | warn | off
rules: {smb-share: "off", node-pinned: deny, shared-access: warn}
evictionStrategy: default       # enforce | default | off
exemptions: {requireReason: false, maxDays: 30, notBy: ["system:serviceaccount:argocd:argocd"]}
kubevirt: {namespace: openshift-cnv, version: v1.8.4}
trident: {namespace: storage}
registrations: off              # managed | off
"""


def load(text: str | bytes, tmp_path: Path) -> Settings:
    path = tmp_path / "settings.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Settings.load(path)


def refused(tree: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.parse(tree)
    return str(caught.value)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    assert load(WHOLE, tmp_path) == Settings(
        mode="warn",
        rules={"smb-share": "off", "node-pinned": "deny", "shared-access": "warn"},
        evictionStrategy="default",
        exemptions=Exemptions(requireReason=False, maxDays=30, notBy=("system:serviceaccount:argocd:argocd",)),
        kubevirt=KubeVirt(namespace="openshift-cnv", version="v1.8.4"),
        trident=Trident(namespace="storage"),
        registrations="off",
    )


def test_the_initial_values_are_those_of_the_contract() -> None:
    found = Settings()
    assert (found.mode, dict(found.rules), found.evictionStrategy) == ("deny", {}, "enforce")
    assert found.exemptions == Exemptions(requireReason=True, maxDays=90, notBy=())
    assert found.kubevirt == KubeVirt(namespace="kubevirt", version="auto")
    assert found.trident == Trident(namespace="trident")
    assert found.registrations == "managed"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}\n", "null\n"])
def test_an_empty_file_gives_the_initial_values(text: str, tmp_path: Path) -> None:
    assert load(text, tmp_path) == Settings()


def test_what_is_left_out_of_a_part_keeps_its_initial_value() -> None:
    assert Settings.parse({"exemptions": {"maxDays": 7}}).exemptions == Exemptions(maxDays=7)


@pytest.mark.parametrize("key", ["mode", "evictionStrategy", "registrations"])
@pytest.mark.parametrize("off", ["off", '"off"', "false"])
def test_a_bare_off_is_understood(key: str, off: str, tmp_path: Path) -> None:
    assert getattr(load(f"{key}: {off}\n", tmp_path), key) == "off"


@pytest.mark.parametrize("off", ["off", '"off"'])
def test_a_bare_off_of_a_rule_is_understood(off: str, tmp_path: Path) -> None:
    assert dict(load(f"rules: {{shared-access: {off}}}\n", tmp_path).rules) == {"shared-access": "off"}


WRONG: list[tuple[dict[Any, Any], str]] = [
    ({"mode": "strict"}, "mode"),
    ({"mode": True}, "mode"),
    ({"mode": None}, "mode"),
    ({"mode": ["deny"]}, "mode"),
    ({"rules": ["shared-access"]}, "rules"),
    ({"rules": None}, "rules"),
    ({"rules": {"shared-access": "no"}}, "rules.shared-access"),
    ({"rules": {"shared-access": None}}, "rules.shared-access"),
    ({"rules": {"of-the-future": "loud"}}, "rules.of-the-future"),
    ({"evictionStrategy": "LiveMigrate"}, "evictionStrategy"),
    ({"evictionStrategy": 1}, "evictionStrategy"),
    ({"exemptions": []}, "exemptions"),
    ({"exemptions": {"requireReason": "yes"}}, "exemptions.requireReason"),
    ({"exemptions": {"maxDays": 0}}, "exemptions.maxDays"),
    ({"exemptions": {"maxDays": -1}}, "exemptions.maxDays"),
    ({"exemptions": {"maxDays": True}}, "exemptions.maxDays"),
    ({"exemptions": {"maxDays": "90"}}, "exemptions.maxDays"),
    ({"exemptions": {"maxDays": 1.5}}, "exemptions.maxDays"),
    ({"exemptions": {"notBy": "admin"}}, "exemptions.notBy"),
    ({"exemptions": {"notBy": ["admin", 5]}}, "exemptions.notBy[1]"),
    ({"exemptions": {"notBy": [""]}}, "exemptions.notBy[0]"),
    ({"kubevirt": "kubevirt"}, "kubevirt"),
    ({"kubevirt": {"namespace": ""}}, "kubevirt.namespace"),
    ({"kubevirt": {"version": 1.8}}, "kubevirt.version"),
    ({"trident": None}, "trident"),
    ({"trident": {"namespace": 5}}, "trident.namespace"),
    ({"registrations": "manual"}, "registrations"),
    ({"registrations": True}, "registrations"),
]


@pytest.mark.parametrize(("tree", "setting"), WRONG, ids=[repr(row[0]) for row in WRONG])
def test_a_wrong_value_is_an_error_that_begins_with_the_setting(tree: dict[str, Any], setting: str) -> None:
    assert refused(tree).startswith(f"{setting}: must be ")


@pytest.mark.parametrize(
    ("tree", "allowed"),
    [
        ({"mode": "strict"}, "deny, warn, off"),
        ({"evictionStrategy": "x"}, "enforce, default, off"),
        ({"registrations": "x"}, "managed, off"),
        ({"rules": {"a": "x"}}, "deny, warn, off"),
    ],
    ids=repr,
)
def test_the_error_says_what_is_allowed_and_what_was_found(tree: dict[str, Any], allowed: str) -> None:
    message = refused(tree)
    assert allowed in message
    assert ("'strict'" if "mode" in tree else "'x'") in message


def test_a_long_wrong_value_is_cut_in_the_error() -> None:
    assert len(refused({"mode": "x" * 10_000})) < 200


@pytest.mark.parametrize(
    ("tree", "place", "key"),
    [
        ({"Mode": "deny"}, "settings", "'Mode'"),
        ({5: "deny"}, "settings", "5"),
        ({"exemptions": {"maxdays": 5}}, "exemptions", "'maxdays'"),
        ({"kubevirt": {"name": "x"}}, "kubevirt", "'name'"),
        ({"trident": {"version": "x"}}, "trident", "'version'"),
    ],
    ids=repr,
)
def test_an_unknown_setting_is_an_error_that_names_it_and_those_there_are(
    tree: dict[Any, Any], place: str, key: str
) -> None:
    message = refused(tree)
    assert message.startswith(f"{place}: unknown setting {key}")
    assert "known: " in message


@pytest.mark.parametrize("tree", [[], "deny", 5, True], ids=repr)
def test_settings_that_are_no_mapping_are_an_error(tree: object) -> None:
    assert refused(tree).startswith("settings: must be a mapping")


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
    assert "\n" not in refused({"rules": {"a\nb": "loud"}})
