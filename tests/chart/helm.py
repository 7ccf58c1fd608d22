"""The chart as Helm renders it; the same values are rendered once."""

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from tests.documentation import CHART
from tests.localcluster import binaries

RELEASE = "migratability-webhook"
NAMESPACE = "migratability"
KUBERNETES = tuple(f"1.{minor}" for minor in range(30, 38))
CI = {path.name.removesuffix("-values.yaml"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))}
"""Sets of values by name."""

Object = dict[str, Any]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast, if PyYAML was built with libyaml."""


class Rendered:
    """The objects that a set of values gives, hooks included."""

    def __init__(self, text: str) -> None:
        """Take what `helm template` prints."""
        self.text = text
        self.objects: list[Object] = [found for found in yaml.load_all(text, Loader=_LOADER) if found]

    def get(self, kind: str, suffix: str = "", name: str = RELEASE) -> Object:
        """Return the one object of a kind whose name ends in the suffix."""
        (found,) = self._named(kind, name + suffix)
        return found

    def has(self, kind: str, suffix: str = "") -> bool:
        """Say whether there is such an object."""
        return bool(self._named(kind, RELEASE + suffix))

    def _named(self, kind: str, name: str) -> list[Object]:
        return [found for found in self.objects if (found["kind"], found["metadata"]["name"]) == (kind, name)]

    @property
    def installation(self) -> Object:
        """The installation that the webhook reads."""
        return dict(yaml.safe_load(self.get("ConfigMap")["data"]["installation.yaml"]))

    @property
    def settings(self) -> Object:
        """The settings that the webhook reads."""
        return dict(yaml.safe_load(self.get("ConfigMap")["data"]["settings.yaml"]))

    @property
    def pod(self) -> Object:
        """The spec of the webhook's pods."""
        return dict(self.get("Deployment")["spec"]["template"]["spec"])


def render(values: Mapping[str, Any] | None = None, **options: str) -> Rendered:
    """Render with values over the chart's own; options are `helm template`'s."""
    return _render(json.dumps(values or {}), tuple(sorted(options.items())))


def render_ci(name: str) -> Rendered:
    """Render one of the sets of values in ci/."""
    return render(yaml.safe_load(CI[name].read_text()))


def complaint(values: Mapping[str, Any]) -> str:
    """Return Helm's error about wrong values."""
    done = run("template", RELEASE, str(CHART), "--values", "-", stdin=json.dumps(values))
    assert done.returncode != 0, f"Helm accepts {values}"
    return done.stderr


@cache
def _render(values: str, options: tuple[tuple[str, str], ...]) -> Rendered:
    chosen = {"namespace": NAMESPACE, "kube_version": f"{KUBERNETES[-1]}.0", "program": "helm", "release": RELEASE}
    chosen.update(options)
    program, release = chosen.pop("program"), chosen.pop("release")
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]
    return Rendered(printed("template", release, str(CHART), "--values", "-", *flags, stdin=values, program=program))


def printed(*arguments: str, stdin: str = "", program: str = "helm") -> str:
    """Return what Helm prints; raises AssertionError where it fails."""
    done = run(*arguments, stdin=stdin, program=program)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run(*arguments: str, stdin: str = "", program: str = "helm") -> "subprocess.CompletedProcess[str]":
    """Run Helm 4 or 3 to its end."""
    command = [str(binaries.ensure(program)[program]), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=600, check=False)
