"""What is wrong is told once."""

import logging

import pytest

from webhook.controller.troubles import Troubles


def test_a_trouble_is_told_when_it_begins_changes_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    troubles = Troubles()
    for why in (None, "no", "no", "still no", "still no", None, None, "no"):
        troubles.tell("owner", why)
        assert troubles.of("owner") == why
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "owner: no"),
        ("WARNING", "owner: still no"),
        ("INFO", "owner: all is well again"),
        ("WARNING", "owner: no"),
    ]


def test_one_subject_is_not_another() -> None:
    troubles = Troubles()
    troubles.tell("owner", "no")
    assert troubles.of("registrations") is None
