"""The filter box finds what is shown, in the user's language too."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from desktop_app.domain.job import Status
from desktop_app.domain.query import parse_search
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.gui.filtering.list_filter import read_search
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


def test_keys_and_statuses_are_understood_in_the_language_and_in_english(qapp: object) -> None:
    with speaking("de"):
        assert read_search("status:fehl").statuses == {Status.FAILED}
        assert read_search("Status:failed").statuses == {Status.FAILED}
        assert read_search("größe:>10kB").sizes == parse_search("size:>10kB").sizes
        assert read_search("grund:Berechtigung").reasons == ("Berechtigung",)


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
