"""Tables in the documentation that follow from the code: ``python -m tests.documentation`` writes them anew."""

from pathlib import Path

from webhook.policy.rules import RULES

ROOT = Path(__file__).parent.parent


def rules_table() -> str:
    """Return the table of all rules as Markdown."""
    head = "| rule | refuses | KubeVirt's reason | default |\n|---|---|---|---|\n"
    rows = (f"| `{rule.name}` | {rule.refuses} | {rule.reason or ''} | {rule.default} |\n" for rule in RULES)
    return head + "".join(rows)


GENERATED = {"README.md": {"rules": rules_table}}
"""By file, the blocks between ``<!-- NAME -->`` and ``<!-- /NAME -->`` and what makes them."""


def written_anew(name: str, content: str) -> str:
    """Return a file's content with its generated blocks as they should be."""
    for block, make in GENERATED[name].items():
        begin, end = f"<!-- {block} -->\n", f"<!-- /{block} -->"
        before, _, rest = content.partition(begin)
        _, _, after = rest.partition(end)
        content = before + begin + make() + end + after
    return content


def main() -> None:
    """Write all generated blocks."""
    for name in GENERATED:
        path = ROOT / name
        path.write_text(written_anew(name, path.read_text()))


if __name__ == "__main__":
    main()
