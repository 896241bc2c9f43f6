"""The filter box finds what is shown, in the user's language too."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.search import SYNTAX
from desktop_app.domain.search_parser import parse_search
from desktop_app.gui.filtering.search_names import help_rows, read_search
from desktop_app.gui.i18n import reason_text
from desktop_app.gui.table.columns import NAME
from tests.gui.test_translations import speaking

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.table.model import JobsModel
    from tests.gui.conftest import WindowFactory

STORED = Reason(ReasonCode.MAY_NOT_READ)
GIVEN_UP = Reason(ReasonCode.NOT_DELIVERED).given_up(5)


def test_english_is_understood(qapp: object) -> None:
    for text in ("status:failed invoice", 'size:>10MB reason:"may not"', "Grund:x"):
        assert read_search(text) == parse_search(text)


@pytest.mark.parametrize(
    ("typed", "english"),
    [
        ("status:fehl", "status:failed"),
        ("Status:failed", "status:failed"),
        ('status:"in Arbeit"', "status:processing"),
        ("größe:>10kB", "size:>10kB"),
        ("GRÖSSE:>10kB", "size:>10kB"),
        ("ordner:x", "folder:x"),
        ("typ:json", "type:json"),
        ("stapel:x", "batch:x"),
        ("zeilen:0", "lines:0"),
        ("versuche:>1", "attempts:>1"),
        ("dauer:>2std", "took:>2h"),
        ("hinzugefügt:gestern..heute", "added:yesterday..today"),
        ('beendet:"letzte 2 Stunden"', "finished:2h"),
        ("beendet:<3t", "finished:<3d"),
    ],
)
def test_names_are_understood_in_the_language_and_in_english(qapp: object, typed: str, english: str) -> None:
    with speaking("de"):
        assert read_search(typed).terms == parse_search(english).terms
        assert read_search(english).terms == parse_search(english).terms


@pytest.mark.parametrize("language", ["en", "de"])
def test_all_that_can_be_typed_is_listed_with_examples_that_are_understood(qapp: object, language: str) -> None:
    with speaking(language):
        rows = help_rows()
        english = [parse_search(entry.example) for entry in SYNTAX]
        for row, meant in zip(rows, english, strict=True):
            search = read_search(row.example)
            assert search.problems == ()
            assert [type(term) for term in search.terms] == [type(term) for term in meant.terms]
            if row.key:
                assert row.example.startswith(row.label)


def test_shown_word_of_a_reason_finds_the_stored_reason(windows: WindowFactory, qtbot: QtBot) -> None:
    jobs_db = windows.jobs_db
    secret, _, far = jobs_db.add("secret.txt", "plain.txt", "far.txt")
    jobs_db.fail(secret, reason=STORED)
    jobs_db.fail(far, reason=GIVEN_UP)
    with speaking("de"):
        assert "aufgegeben" in reason_text(GIVEN_UP)
        window = windows.open()
        model = windows.controller().model
        for typed, name in (("Berechtigung", "secret.txt"), ("grund:freigabe", "far.txt"), ("aufgegeben", "far.txt")):
            window.filter.setText(typed)
            qtbot.waitUntil(partial(_shows_only, model, name))


def _shows_only(model: JobsModel, name: str) -> bool:
    return model.rowCount() == 1 and model.text(0, NAME) == name
