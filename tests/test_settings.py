"""The settings file: what it may hold, and how it says what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from webhook.policy.rules import unknown_rules
from webhook.settings import Exemptions, KubeVirt, Settings, SettingsError, Trident
from webhook.structs import File

WHOLE = """\
mode: warn                      # deny | warn | off
rules: {smb-share: "off", node-pinned: deny, shared-access: warn}
evictionStrategy: default       # enforce | default | off
exemptions: {requireReason: false, maxDays: 30, excludedUsers: ["system:admin"]}
kubevirt: {namespace: openshift-cnv, version: v1.8.4}
trident: {namespace: storage}
webhookConfigurations: off              # managed | off
"""


def load(text: str | bytes, tmp_path: Path) -> Settings:
    path = tmp_path / "settings.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Settings.load(path)


def problem(file: type[File], tree: object) -> str:
    """Return what is wrong with a tree, nothing where it is read."""
    try:
        file.parse(tree)
    except file.error as error:
        return str(error)
    return ""


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    assert load(WHOLE, tmp_path) == Settings(
        mode="warn",
        rules={"smb-share": "off", "node-pinned": "deny", "shared-access": "warn"},
        eviction_strategy="default",
        exemptions=Exemptions(require_reason=False, max_days=30, excluded_users=("system:admin",)),
        kubevirt=KubeVirt(namespace="openshift-cnv", version="v1.8.4"),
        trident=Trident(namespace="storage"),
        webhook_configurations="off",
    )


def test_what_is_missing_has_the_default_of_the_contract() -> None:
    found = Settings()
    assert (found.mode, dict(found.rules), found.eviction_strategy) == ("deny", {}, "enforce")
    assert found.exemptions == Exemptions(require_reason=True, max_days=90, excluded_users=())
    assert found.kubevirt == KubeVirt(namespace="auto", version="auto")
    assert (found.trident, found.webhook_configurations) == (Trident(namespace="auto"), "managed")
    assert Settings.parse({"exemptions": {"maxDays": 7}}).exemptions == Exemptions(max_days=7)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}\n", "null\n"])
def test_an_empty_file_gives_the_defaults(text: str, tmp_path: Path) -> None:
    assert load(text, tmp_path) == Settings()


@pytest.mark.parametrize("off", ["off", '"off"', "false"])
def test_a_bare_off_is_understood(off: str, tmp_path: Path) -> None:
    text = f"{{mode: {off}, evictionStrategy: {off}, webhookConfigurations: {off}, rules: {{host-disk: {off}}}}}\n"
    found = load(text, tmp_path)
    assert (found.mode, found.eviction_strategy, found.webhook_configurations) == ("off", "off", "off")
    assert dict(found.rules) == {"host-disk": "off"}


ACTION, NAMESPACE = "one of deny, warn, off", "auto or the name of a namespace"
WRONG: dict[str, tuple[str, list[Any]]] = {
    # setting: what it must be, what it is
    "mode": (ACTION, ["strict", True, None, ["deny"], "\ud800"]),
    "rules": ("a mapping of rules to deny, warn or off", [["shared-access"], None, {5: "off"}]),
    "rules.shared-access": (ACTION, ["no", None]),
    "rules.of-the-future": (ACTION, ["loud"]),
    "evictionStrategy": ("one of enforce, default, off", ["LiveMigrate", 1]),
    "exemptions": ("a mapping", [[], False]),
    "exemptions.requireReason": ("true or false", ["yes"]),
    "exemptions.maxDays": ("a number of days from 1 to 36500", [0, -1, True, "90", 1.5, 36_501]),
    "exemptions.excludedUsers": ("a list of names", ["admin"]),
    "kubevirt": ("a mapping", ["kubevirt"]),
    "kubevirt.namespace": (NAMESPACE, ["", "Kube Virt", "kubevirt\n"]),
    "kubevirt.version": ('auto or a version of KubeVirt in quotes like "1.8"', [1.8, "2.0"]),
    "trident": ("a mapping", [None]),
    "trident.namespace": (NAMESPACE, [5]),
    "webhookConfigurations": ("one of managed, off", ["manual", True]),
}
WRONG_VALUES = [(setting, allowed, value) for setting, (allowed, values) in WRONG.items() for value in values]
ROOT = "mode, rules, evictionStrategy, exemptions, kubevirt, trident, webhookConfigurations"
MESSAGES: list[tuple[Any, str]] = [
    ({"exemptions": {"excludedUsers": ["admin", 5]}}, "exemptions.excludedUsers[1]: must be a name, not 5"),
    ({"exemptions": {"excludedUsers": [""]}}, "exemptions.excludedUsers[0]: must be a name, not ''"),
    ({"Mode": "deny"}, f"settings: unknown setting 'Mode'; known: {ROOT}"),
    ({5: "deny"}, f"settings: unknown setting 5; known: {ROOT}"),
    ({"\ud800": "deny"}, rf"settings: unknown setting '\ud800'; known: {ROOT}"),
    ({"kubevirt": {"name": "x"}}, "kubevirt: unknown setting 'name'; known: namespace, version"),
]


@pytest.mark.parametrize(("setting", "allowed", "value"), WRONG_VALUES)
def test_an_error_names_the_setting_what_it_must_be_and_what_it_is(setting: str, allowed: str, value: object) -> None:
    part, _, name = setting.partition(".")
    tree = {part: {name: value} if name else value}
    assert problem(Settings, tree) == f"{setting}: must be {allowed}, not {value!r}"


@pytest.mark.parametrize(("tree", "message"), MESSAGES, ids=[ascii(message) for _, message in MESSAGES])
def test_an_error_names_the_entry_of_a_list_and_an_unknown_setting_beside_the_known(tree: object, message: str) -> None:
    assert problem(Settings, tree) == message


LAUGHS: Any = "ha"
for _ in range(9):
    LAUGHS = [LAUGHS] * 10
"""A billion items, as YAML's anchors give them."""


HUGE = 0xF << 99_999
LONG: dict[str, Any] = {
    "text": {"mode": "x" * 10_000},
    "list": {"mode": ["x"] * 10_000},
    "number": {"mode": HUGE},
    "tree": {"mode": LAUGHS},
    "setting": {"exemptions": {"x" * 10_000: 1}},
    "rule": {"rules": {HUGE: "loud"}},
    "name on two lines": {"rules": {"a\nb": "loud"}},
}


@pytest.mark.parametrize("tree", LONG.values(), ids=LONG)
def test_an_error_of_a_long_value_is_short_and_on_one_line(tree: object) -> None:
    message = problem(Settings, tree)
    assert (0 < len(message) < 200, "\n" in message) == (True, False)


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


def test_settings_cannot_be_changed() -> None:
    found = Settings.parse({"rules": {"a": "off"}})
    with pytest.raises(AttributeError):
        found.mode = "off"  # type: ignore[misc]
    with pytest.raises(TypeError):
        found.rules["b"] = "off"  # type: ignore[index]
