import re
from pathlib import Path

import pytest

from tests.documentation import GENERATED, ROOT, written_anew
from webhook.cli.check import Input, judge_all
from webhook.cluster.files import read_path
from webhook.machines import is_machine
from webhook.settings import Settings

README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", GENERATED)
def test_generated_tables_are_as_the_code_has_them(name: str) -> None:
    content = (ROOT / name).read_text()

    assert written_anew(name, content) == content


def test_every_refusal_that_the_readme_quotes_is_one_that_an_example_gets() -> None:
    machines = [obj for obj in read_path(ROOT / "examples/machines") if is_machine(obj)]
    verdicts = judge_all(Input(list(machines), list(read_path(ROOT / "examples/cluster"))), Settings())
    given = {f"{found.field}: {found.cause}" for verdict in verdicts for found in verdict.violations}

    quoted = re.findall(r"spec\.template\.spec\.volumes\S+: .*?\[[a-z-]+\]", README)

    assert quoted
    assert set(quoted) <= given


def test_every_target_that_the_readme_names_is_in_the_makefile() -> None:
    makefile = Path(ROOT / "Makefile").read_text()

    for target in re.findall(r"`make ([a-z-]+)`", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
