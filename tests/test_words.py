import itertools

import pytest

from tests import prose

MOST_SHOWN = 40


def test_the_project_uses_its_own_words() -> None:
    found = [str(finding) for finding in itertools.islice(prose.findings(), MOST_SHOWN)]
    assert not found, "\n".join([f"the first {len(found)}, all by python -m tests.prose:", *found])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# a mended file", ["mended"]),
        ("def may_put_back(): ...", ["may_put_back"]),
        ("class MachineReader: ...", ["MachineReader"]),
        ("def f(troubles): ...", ["troubles"]),
        ("self.bearer = x", ["bearer"]),
        ('x = "it is made anew"', ["anew"]),
        ('x = f"{machine} is told"', ["told"]),
        ('x = "notBy"', ["not by"]),
        ('def f():\n    """What the\n    kin shall be."""', ["shall", "kin"]),
        ("def test_it_is_put_back(): ...", ["test_it_is_put_back"]),
        ("def test_edits_of_a_vm_whose_exemption_has_ended_pass(): ...", []),
        ("shutil.copytree(a, b)", []),
        ("x.register(y)", []),
        ('x = "virtual machine"', []),
        ('x = "persistentVolumeClaim"', []),
        ('x = "spec.claimName of a ResourceClaim"', []),
        ('x = "violates claim-known"', []),
        ("def f():\n    pass", []),
        ("# see https://example.org/machines", []),
    ],
)
def test_words_are_found_in_comments_docstrings_messages_and_names(source: str, expected: list[str]) -> None:
    assert sorted(found.found for found in prose.in_python("webhook/a.py", source)) == sorted(expected)


def test_a_finding_names_its_line_and_what_to_write_instead_and_strings_in_tests_are_data() -> None:
    source = 'x = "a machine"\n"""A text\nthat is mended."""\n'
    assert [str(found) for found in prose.in_python("tests/test_a.py", source)] == ["tests/test_a.py:3: mended → fix"]
