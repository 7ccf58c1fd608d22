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

    def find(self, kind: str, suffix: str = "", name: str = RELEASE) -> Object | None:
        """Return the one object of a kind whose name ends in the suffix, None if there is none."""
        found = [obj for obj in self.objects if (obj["kind"], obj["metadata"]["name"]) == (kind, name + suffix)]
        return found[0] if found else None

    def get(self, kind: str, suffix: str = "", name: str = RELEASE) -> Object:
        """Return the object that must be there."""
        found = self.find(kind, suffix, name)
        assert found, (kind, suffix)
        return found

    @property
    def installation(self) -> Object:
        """The installation that the webhook reads."""
        return dict(yaml.safe_load(self.get("ConfigMap")["data"]["installation.yaml"]))

    @property
    def settings(self) -> Object:
        """The settings that the webhook reads."""
        return dict(yaml.safe_load(self.get("ConfigMap")["data"]["settings.yaml"]))

    @property
    def pods(self) -> dict[str, Object]:
        """Metadata and spec of every pod that a release can have, by its purpose."""
        return {
            "webhook": self.get("Deployment")["spec"]["template"],
            "cleanup": self.get("Job", "-cleanup")["spec"]["template"],
            "test": self.get("Pod", "-test"),
        }

    @property
    def pod(self) -> Object:
        """The spec of the webhook's pods."""
        return dict(self.pods["webhook"]["spec"])


def render(
    values: Mapping[str, Any] | None = None,
    *,
    program: str = "helm",
    release: str = RELEASE,
    namespace: str = NAMESPACE,
    kubernetes: str = KUBERNETES[-1],
) -> Rendered:
    """Render with values over the chart's own."""
    flags = (f"--namespace={namespace}", f"--kube-version={kubernetes}.0", "--values=-")
    return _rendered(json.dumps(values or {}), program, ("template", release, str(CHART), *flags))


@cache
def _rendered(values: str, program: str, arguments: tuple[str, ...]) -> Rendered:
    return Rendered(printed(*arguments, stdin=values, program=program))


def render_ci(name: str) -> Rendered:
    """Render one of the sets of values in ci/."""
    return render(yaml.safe_load(CI[name].read_text()))


def printed(*arguments: str, stdin: str = "", program: str = "helm") -> str:
    """Return what Helm prints; raises AssertionError where it fails."""
    done = run(*arguments, stdin=stdin, program=program)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run(*arguments: str, stdin: str = "", program: str = "helm") -> "subprocess.CompletedProcess[str]":
    """Run Helm 4 or 3 to its end."""
    command = [str(binaries.ensure(program)[program]), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=600, check=False)
