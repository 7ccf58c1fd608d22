import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documentation import GENERATED, ROOT, regenerated
from webhook.cli.check import Input, evaluate_all
from webhook.cluster.files import read_path
from webhook.kubevirt import is_vm
from webhook.settings import Settings

README = (ROOT / "README.md").read_text()
_FENCED = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


PAGES = sorted(
    str(page.relative_to(ROOT)) for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("charts/*/*.md"))
)


def prose_of(page: Path) -> str:
    return _FENCED.sub("", page.read_text())


def links_of(page: Path) -> list[str]:
    return _LINK.findall(_CODE.sub("", prose_of(page)))


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(prose_of(page)))
    return {heading.replace(" ", "-") for heading in words}


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
    vms = [obj for obj in read_path(ROOT / "examples/vms") if is_vm(obj)]
    verdicts = evaluate_all(Input(list(vms), list(read_path(ROOT / "examples/cluster"))), Settings())
    given = {f"{found.field}: {found.cause}" for verdict in verdicts for found in verdict.violations}

    quoted = re.findall(r"spec\.template\.spec\.volumes\S+: .*?\[[a-z-]+\]", README)

    assert quoted
    assert set(quoted) <= given


def test_every_target_that_the_readme_names_is_in_the_makefile() -> None:
    makefile = Path(ROOT / "Makefile").read_text()

    for target in re.findall(r"`make ([a-z-]+)`", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_to_a_file_and_heading_that_exist(name: str) -> None:
    assert list(broken_links_of(ROOT / name)) == []


@pytest.mark.parametrize("target", ["nowhere.md", "there.md#nothing", "#nothing"])
def test_a_broken_link_is_found(tmp_path: Path, target: str) -> None:
    (tmp_path / "there.md").write_text("# There\n")
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n[x]({target}) [good](there.md#there) [self](#page) [web](https://kubernetes.io/x#y)\n")

    assert list(broken_links_of(page)) == [target]


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs/README.md"
    linked = {target.partition("#")[0] for target in links_of(index)}

    assert {page.name for page in index.parent.glob("*.md")} - {index.name} <= linked
