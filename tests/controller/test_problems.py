"""What is wrong is told once."""

import logging

import pytest

from webhook.controller.problems import Problems


def test_a_trouble_is_told_when_it_begins_changes_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    problems = Problems()
    for why in (None, "no", "no", "still no", "still no", None, None, "no"):
        problems.report("owner", why)
        assert problems.of("owner") == why
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "owner: no"),
        ("WARNING", "owner: still no"),
        ("INFO", "owner: recovered"),
        ("WARNING", "owner: no"),
    ]


def test_one_subject_is_not_another() -> None:
    problems = Problems()
    problems.report("owner", "no")
    assert problems.of("registrations") is None
