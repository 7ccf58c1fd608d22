"""What the documentation shows of the code: ``python -m tests.documentation`` generates it."""

import importlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.chart.schema import schema
from tests.chart.values import table
from webhook.admission.compared import compared_in
from webhook.cli.check import Input, evaluate_all
from webhook.cluster.files import read_file, read_path
from webhook.policy.rules import RULES, Rule
from webhook.policy.verdict import Violation
from webhook.settings import Settings

ROOT = Path(__file__).parent.parent
CHART = ROOT / "charts/migratability-webhook"
SCHEMA = CHART / "values.schema.json"
_METRICS = ROOT / "docs/metrics.md"


def rules_table() -> str:
    """Return the table of all rules as Markdown."""
    rows = (f"| `{rule.name}` | {rule.denies} | {rule.reason or ''} | {rule.default} |\n" for rule in RULES)
    return "".join(("| rule | violated by | KubeVirt's reason | default |\n|---|---|---|---|\n", *rows))


def rules_in_full() -> str:
    """Return a section for each rule, with the message for the first example that violates it."""
    first = {violation.rule: (file, violation) for file, violation in reversed([*violations()])}
    return "\n".join(_section(rule, first.get(rule.name)) for rule in RULES)


def violations() -> Iterator[tuple[str, Violation]]:
    """Yield the violations of all examples, each with its file."""
    cluster = read_path(ROOT / "examples/cluster")
    for file in sorted((ROOT / "examples/vms").glob("*.yaml")):
        for verdict in evaluate_all(Input(list(read_file(file)), list(cluster)), Settings()):
            yield from ((f"examples/vms/{file.name}", violation) for violation in verdict.violations)


def _section(rule: Rule, example: tuple[str, Violation] | None) -> str:
    module = importlib.import_module(f"webhook.policy.rules.{rule.name.replace('-', '_')}")
    about = (module.__doc__ or "").splitlines()[0].partition(": ")[2]
    shown = "\n[{0}](../{0}):\n\n> {1.field}: {1.cause}\n".format(*example) if example else ""
    return f"""## {rule.name}

{about[:1].upper()}{about[1:]} Violated by {rule.denies}.

Default: `{rule.default}`. KubeVirt's reason: {rule.reason or "none"}.
Follows {rule.source}.
{shown}"""


def compared_paths() -> str:
    """Return the paths below a template's ``spec`` that are compared, as a list in Markdown."""
    compared = compared_in("VirtualMachineInstanceReplicaSet")
    lists = {".".join(path) for path in compared.lists}
    paths = sorted({*lists, *(".".join(path) for path in compared.parts)})
    return "".join(f"- `{path}`{', not if entries are only removed' if path in lists else ''}\n" for path in paths)


def documented_metrics() -> set[str]:
    """Return the names of the metrics in docs/metrics.md."""
    return set(re.findall(r"^\| `(migratability_\w+)`", _METRICS.read_text(), re.MULTILINE))


def documented_results(of: str = "") -> set[str]:
    """Return the values of the label ``result`` in docs/metrics.md: of requests, of violations or of both."""
    rows = re.findall(rf"^\| `result` of {of}.*?\|(.*)\|$", _METRICS.read_text(), re.MULTILINE)
    return set(re.findall(r"`([a-z_-]+)`", " ".join(rows)))


def schema_of_values() -> str:
    """Return the JSON Schema of the chart's values."""
    return json.dumps(schema(), indent=2) + "\n"


GENERATED: dict[str, tuple[str, Callable[[], str]]] = {
    "README.md": ("rules", rules_table),
    "docs/webhook-configurations.md": ("compared", compared_paths),
    "docs/rules.md": ("rules", rules_in_full),
    "charts/migratability-webhook/README.md": ("values", lambda: table((CHART / "values.yaml").read_text())),
}
"""By file, the block between ``<!-- NAME -->`` and ``<!-- /NAME -->`` and what generates it."""


def regenerated(name: str, content: str) -> str:
    """Return a file's content with its generated block as it should be."""
    block, make = GENERATED[name]
    before, begin, rest = content.partition(f"<!-- {block} -->\n")
    _, end, after = rest.partition(f"<!-- /{block} -->")
    return before + begin + make() + end + after


if __name__ == "__main__":
    for name in GENERATED:
        path = ROOT / name
        path.write_text(regenerated(name, path.read_text()))
    SCHEMA.write_text(schema_of_values())
