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


def test_the_defaults_are_those_of_the_contract() -> None:
    found = Settings()
    assert (found.mode, dict(found.rules), found.eviction_strategy) == ("deny", {}, "enforce")
    assert found.exemptions == Exemptions(require_reason=True, max_days=90, excluded_users=())
    assert found.kubevirt == KubeVirt(namespace="auto", version="auto")
    assert (found.trident, found.webhook_configurations) == (Trident(namespace="auto"), "managed")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}\n", "null\n"])
def test_an_empty_file_gives_the_defaults(text: str, tmp_path: Path) -> None:
    assert load(text, tmp_path) == Settings()


def test_a_missing_field_of_a_part_has_its_default() -> None:
    assert Settings.parse({"exemptions": {"maxDays": 7}}).exemptions == Exemptions(max_days=7)


@pytest.mark.parametrize("off", ["off", '"off"', "false"])
def test_a_bare_off_is_understood(off: str, tmp_path: Path) -> None:
    text = f"{{mode: {off}, evictionStrategy: {off}, webhookConfigurations: {off}, rules: {{host-disk: {off}}}}}\n"
    found = load(text, tmp_path)
    assert (found.mode, found.eviction_strategy, found.webhook_configurations) == ("off", "off", "off")
    assert dict(found.rules) == {"host-disk": "off"}


WRONG: dict[str, list[Any]] = {
    "mode": ["strict", True, None, ["deny"], "\ud800"],
    "rules": [["shared-access"], None, {5: "off"}],
    "rules.shared-access": ["no", None],
    "rules.of-the-future": ["loud"],
    "evictionStrategy": ["LiveMigrate", 1],
    "exemptions": [[], False],
    "exemptions.requireReason": ["yes"],
    "exemptions.maxDays": [0, -1, True, "90", 1.5, 36_501],
    "exemptions.excludedUsers": ["admin"],
    "kubevirt": ["kubevirt"],
    "kubevirt.namespace": ["", "Kube Virt", "kubevirt\n"],
    "kubevirt.version": [1.8, "2.0"],
    "trident": [None],
    "trident.namespace": [5],
    "webhookConfigurations": ["manual", True],
}
ROWS = [(setting, value) for setting, values in WRONG.items() for value in values]


@pytest.mark.parametrize(("setting", "value"), ROWS)
def test_an_error_of_a_wrong_value_begins_with_the_setting(setting: str, value: object) -> None:
    part, _, name = setting.partition(".")
    assert denied({part: {name: value} if name else value}).startswith(f"{setting}: must be ")


@pytest.mark.parametrize(("users", "index"), [(["admin", 5], 1), ([""], 0)], ids=["of another type", "empty"])
def test_an_error_of_a_list_names_the_index(users: list[object], index: int) -> None:
    assert denied({"exemptions": {"excludedUsers": users}}).startswith(f"exemptions.excludedUsers[{index}]: must be ")


@pytest.mark.parametrize(
    ("tree", "allowed"),
    [
        ({"mode": "x"}, "deny, warn, off"),
        ({"evictionStrategy": "x"}, "enforce, default, off"),
        ({"webhookConfigurations": "x"}, "managed, off"),
        ({"rules": {"a": "x"}}, "deny, warn, off"),
    ],
    ids=repr,
)
def test_an_error_says_what_is_allowed_and_what_was_found(tree: dict[str, Any], allowed: str) -> None:
    message = denied(tree)
    assert allowed in message
    assert "'x'" in message


def laughs() -> list[Any]:
    """Return a billion items, as YAML's anchors give them."""
    found: list[Any] = ["ha"] * 10
    for _ in range(8):
        found = [found] * 10
    return found


@pytest.mark.parametrize(
    "tree",
    [
        *({"mode": value} for value in ("x" * 10_000, ["x"] * 10_000, 0xF << 99_999, laughs())),
        {"exemptions": {"x" * 10_000: 1}},
        {"rules": {0xF << 99_999: "loud"}},
        {"rules": {"a\nb": "loud"}},
    ],
    ids=["text", "list", "number", "tree", "setting", "rule", "name on two lines"],
)
def test_an_error_of_a_long_value_is_short_and_on_one_line(tree: object) -> None:
    message = denied(tree)
    assert len(message) < 200
    assert "\n" not in message


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
def test_settings_that_are_not_a_mapping_are_an_error(tree: object) -> None:
    assert denied(tree).startswith("settings: must be a mapping")


def test_an_unknown_rule_is_reported_and_no_error() -> None:
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


def test_an_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"^{tmp_path / 'settings.yaml'}: mode: must be "):
        load("mode: strict\n", tmp_path)
    with pytest.raises(SettingsError, match=r"gone.yaml: No such file"):
        Settings.load(tmp_path / "gone.yaml")
    with pytest.raises(SettingsError, match=f"^{tmp_path}: "):
        Settings.load(tmp_path)


def test_settings_cannot_be_changed() -> None:
    found = Settings.parse({"rules": {"a": "off"}})
    with pytest.raises(AttributeError):
        found.mode = "off"  # type: ignore[misc]
    with pytest.raises(TypeError):
        found.rules["b"] = "off"  # type: ignore[index]
