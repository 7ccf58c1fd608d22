"""Problems are logged once."""

import logging

import pytest

from webhook.controller.problems import Problems


def test_a_problem_is_logged_when_it_begins_changes_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    problems = Problems()
    for why in (None, "no", "no", "still no", "still no", None, None, "no"):
        problems.report("owner", why)
        assert (problems.of("owner"), problems.of("certificates")) == (why, None)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "owner: no"),
        ("WARNING", "owner: still no"),
        ("INFO", "owner: recovered"),
        ("WARNING", "owner: no"),
    ]
