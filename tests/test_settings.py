"""The settings file: what it may hold, and how it says what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from tests.test_structs import problem
from webhook.policy.rules import unknown_rules
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
WRONG_VALUES = [(setting, value) for setting, values in WRONG.items() for value in values]
ROOT = "mode, rules, evictionStrategy, exemptions, kubevirt, trident, webhookConfigurations"
MESSAGES: list[tuple[Any, str]] = [
    ({"mode": "x"}, "mode: must be one of deny, warn, off, not 'x'"),
    ({"evictionStrategy": "x"}, "evictionStrategy: must be one of enforce, default, off, not 'x'"),
    ({"webhookConfigurations": "x"}, "webhookConfigurations: must be one of managed, off, not 'x'"),
    ({"rules": {"a": "x"}}, "rules.a: must be one of deny, warn, off, not 'x'"),
    ({"exemptions": {"excludedUsers": ["admin", 5]}}, "exemptions.excludedUsers[1]: must be a name, not 5"),
    ({"exemptions": {"excludedUsers": [""]}}, "exemptions.excludedUsers[0]: must be a name, not ''"),
    ({"Mode": "deny"}, f"settings: unknown setting 'Mode'; known: {ROOT}"),
    ({5: "deny"}, f"settings: unknown setting 5; known: {ROOT}"),
    ({"\ud800": "deny"}, rf"settings: unknown setting '\ud800'; known: {ROOT}"),
    (
        {"exemptions": {"maxdays": 5}},
        "exemptions: unknown setting 'maxdays'; known: requireReason, maxDays, excludedUsers",
    ),
    ({"kubevirt": {"name": "x"}}, "kubevirt: unknown setting 'name'; known: namespace, version"),
    ({"trident": {"version": "x"}}, "trident: unknown setting 'version'; known: namespace"),
    ([], "settings: must be a mapping, not []"),
    *((tree, f"settings: must be a mapping, not {tree!r}") for tree in ("deny", 5, True)),
]


@pytest.mark.parametrize(("setting", "value"), WRONG_VALUES)
def test_an_error_of_a_wrong_value_begins_with_the_setting(setting: str, value: object) -> None:
    part, _, name = setting.partition(".")
    assert problem(Settings, {part: {name: value} if name else value}).startswith(f"{setting}: must be ")


@pytest.mark.parametrize(("tree", "message"), MESSAGES, ids=[ascii(message) for _, message in MESSAGES])
def test_an_error_names_the_place_what_was_found_and_what_there_may_be(tree: object, message: str) -> None:
    assert problem(Settings, tree) == message


LAUGHS: Any = "ha"
for _ in range(9):
    LAUGHS = [LAUGHS] * 10
"""A billion items, as YAML's anchors give them."""


@pytest.mark.parametrize(
    "tree",
    [
        *({"mode": value} for value in ("x" * 10_000, ["x"] * 10_000, 0xF << 99_999, LAUGHS)),
        {"exemptions": {"x" * 10_000: 1}},
        {"rules": {0xF << 99_999: "loud"}},
        {"rules": {"a\nb": "loud"}},
    ],
    ids=["text", "list", "number", "tree", "setting", "rule", "name on two lines"],
)
def test_an_error_of_a_long_value_is_short_and_on_one_line(tree: object) -> None:
    message = problem(Settings, tree)
    assert 0 < len(message) < 200
    assert "\n" not in message


def test_an_unknown_rule_is_reported_and_no_error() -> None:
    found = Settings.parse({"rules": {"z-rule": "off", "shared-access": "warn", "a-rule": "deny"}})
    assert [remark.partition(":")[0] for remark in unknown_rules(found)] == ["rules.a-rule", "rules.z-rule"]


NOT_YAML: list[str | bytes] = [
    *("mode: [", "mode: deny\nmode warn\n", "\tmode: deny\n", b"mode: \xff\n", "a: b\n---\nc: d", "mode: 2024-13-45\n"),
    *(f"mode: {tag} x\n" for tag in ("!!bool", "!!timestamp", "!!binary", "!own")),
    *("? [a]\n: b\n", "[" * 5000, "mode: {" * 5000),
]


@pytest.mark.parametrize("text", NOT_YAML, ids=lambda text: repr(text[:24]))
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
