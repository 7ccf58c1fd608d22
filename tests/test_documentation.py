import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documentation import GENERATED, ROOT, documented_metrics, documented_results, regenerated, violations
from webhook.cli.main import main
from webhook.server.metrics import Metrics

README = (ROOT / "README.md").read_text()
PAGES = sorted(
    str(page.relative_to(ROOT)) for pattern in ("*.md", "docs/*.md", "charts/*/*.md") for page in ROOT.glob(pattern)
)


def prose_of(page: Path) -> str:
    return re.sub(r"(?ms)^ *```.*?^ *```$", "", page.read_text())


def links_of(page: Path) -> list[str]:
    return re.findall(r"\[[^]]*\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose_of(page)))


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"(?m)^#+ +(.+)$", prose_of(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links_of(page: Path) -> Iterator[str]:
    for target in links_of(page):
        path, _, anchor = target.partition("#")
        found = page.parent / path if path else page
        if re.match(r"[a-z]+:", target):
            continue
        if not found.exists() or (anchor and anchor not in anchors_of(found)):
            yield target


@pytest.mark.parametrize("name", GENERATED)
def test_generated_tables_are_as_the_code_has_them(name: str) -> None:
    content = (ROOT / name).read_text()
    assert regenerated(name, content) == content


def test_every_denial_that_the_readme_quotes_is_one_that_an_example_gets() -> None:
    quoted = re.findall(r"spec\.template\.spec\.volumes\S+: .*?\[[a-z-]+\]", README)
    assert quoted
    assert set(quoted) <= {f"{found.field}: {found.cause}" for _, found in violations()}


def test_every_target_that_the_readme_names_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)`", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_readme_shows_what_its_check_command_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    ((command, shown),) = re.findall(r"^\$ \.venv/bin/migratability (check .+)\n((?:[^$`].*\n)+)", README, re.MULTILINE)
    assert main(shlex.split(command)) == 1
    assert capsys.readouterr().out == shown


def test_every_metric_label_and_result_is_documented_and_no_others() -> None:
    page = (ROOT / "docs/metrics.md").read_text()
    sources = "".join(source.read_text() for source in ROOT.glob("webhook/**/*.py"))
    families = Metrics(dict).registry.collect()
    samples = [sample for family in families for sample in family.samples if not sample.name.endswith("_created")]
    declared = set(re.findall(r'"(migratability_\w+)"', sources))
    assert {name.removesuffix("_total") for name in documented_metrics()} == declared
    for sample in samples:
        name, labels = re.sub(r"_(bucket|count|sum)$", "", sample.name), {*sample.labels} - {"le"}
        (row,) = re.findall(rf"^\| `({name}`.*)$", page, re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row.split("|")[2])) == labels, row
    for name, of in (("admission_requests", "requests"), ("violations", "violations")):
        shown = {sample.labels["result"] for sample in samples if sample.name == f"migratability_{name}_total"}
        assert shown == documented_results(of)


def test_every_path_in_contributing_exists() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`((?:webhook|tests|certs|charts|examples|docs)/[a-z_./-]*)`", page)
    assert named
    assert [name for name in named if not any((ROOT / f"{name}{end}").exists() for end in ("", ".py"))] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_to_a_file_and_heading_that_exist(name: str) -> None:
    assert list(broken_links_of(ROOT / name)) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# There\n")
    page, broken = tmp_path / "page.md", ["nowhere.md", "there.md#nothing", "#nothing"]
    targets = ["there.md#there", "#page", "https://kubernetes.io/x#y", *broken]
    page.write_text("\n".join(("# Page", *(f"[x]({target})" for target in targets))))
    assert list(broken_links_of(page)) == broken


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs/README.md"
    linked = {target.partition("#")[0] for target in links_of(index)}
    assert {page.name for page in index.parent.glob("*.md")} - {index.name} <= linked
