"""The help, and the About dialog."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from desktop_app import __version__
from desktop_app.cli.commands import COMMANDS
from desktop_app.config.paths import resource
from desktop_app.domain.job import Status
from desktop_app.gui.commands.help import NAMED_ACTIONS
from desktop_app.gui.filtering.search_names import help_rows
from desktop_app.gui.help.about import AboutDialog, LicencesDialog
from desktop_app.gui.wording import status_word

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.help.help_window import HelpWindow
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = ["add", "status", "commands", "crash", "filter", "queue", "data", "terminal", "shortcuts"]


@pytest.fixture
def window(windows: WindowFactory) -> MainWindow:
    return windows.open_active()


@pytest.fixture
def help_window(window: MainWindow) -> HelpWindow:
    QTest.keyClick(window, Qt.Key.Key_F1)
    assert window.help.help is not None
    assert window.help.help.isVisible()
    return window.help.help


@pytest.mark.parametrize("language", ["en", "de"])
def test_help_has_the_same_parts_in_each_language(language: str) -> None:
    text = resource(f"help/{language}.html").read_text(encoding="utf-8")
    assert re.findall(r'<a name="(\w+)">', text) == SECTIONS
    names = set(re.findall(r"\$(\w+)", text))
    assert names == {*NAMED_ACTIONS, "syntax", "shortcuts", "database", "settings_file", "logs"}
    assert text.count("<table") == text.count("</table>") == 2
    for command in COMMANDS:
        assert f"<code>filemill {command.name}" in text


def test_help_tells_the_places_the_keys_and_what_can_be_typed(help_window: HelpWindow, windows: WindowFactory) -> None:
    text = help_window.page.toPlainText()
    assert str(windows.jobs_db.database.path) in text
    assert str(windows.settings_file) in text
    assert str(windows.log_folder) in text
    for status in Status:
        assert status_word(status) in text
    for row in help_rows():
        assert row.example in text
        assert row.meaning in text
    assert QKeySequence("Ctrl+Shift+R").toString(QKeySequence.SequenceFormat.NativeText) in text
    assert "$" not in text


def test_contents_lead_to_the_sections(help_window: HelpWindow) -> None:
    assert help_window.contents.count() == len(SECTIONS)
    bar = help_window.page.verticalScrollBar()
    places = []
    for row in range(help_window.contents.count()):
        help_window.contents.setCurrentRow(row)
        places.append(bar.value())
    assert places == sorted(places)
    assert len(set(places)) > 4
    bar.setValue(0)
    help_window.show_section("data")
    assert bar.value() == places[SECTIONS.index("data")]


def test_contents_mark_the_section_that_is_shown(help_window: HelpWindow) -> None:
    bar, contents = help_window.page.verticalScrollBar(), help_window.contents
    assert contents.currentRow() == 0
    for row in range(contents.count()):
        help_window.show_section(SECTIONS[row])
        assert contents.currentRow() == row
        at = bar.value()
        bar.setValue(0)
        assert contents.currentRow() == 0
        if at < bar.maximum():
            bar.setValue(at)
            assert contents.currentRow() == row


def test_words_are_found_one_after_the_other_and_counted(help_window: HelpWindow, qtbot: QtBot) -> None:
    QTest.keyClick(help_window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(help_window.words.hasFocus)
    QTest.keyClicks(help_window.words, "queue")
    count = help_window.page.toPlainText().lower().count("queue")
    assert help_window.found.text() == f"{count} places"
    places = []
    for _ in range(count + 1):
        assert help_window.page.textCursor().selectedText().lower() == "queue"
        places.append(help_window.page.textCursor().position())
        QTest.keyClick(help_window.words, Qt.Key.Key_Return)
    assert places[:-1] == sorted(set(places))
    assert places[-1] == places[0]
    QTest.keyClick(help_window.words, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert help_window.page.textCursor().position() == places[0]
    QTest.keyClick(help_window.words, Qt.Key.Key_Escape)
    assert help_window.words.text() == ""
    assert not help_window.found.isVisible()
    QTest.keyClicks(help_window.words, "xyzzy")
    assert help_window.found.text() == "0 places"
    QTest.keyClick(help_window.words, Qt.Key.Key_Escape)
    QTest.keyClick(help_window.words, Qt.Key.Key_Escape)
    assert not help_window.isVisible()


def test_help_follows_the_theme_at_its_place(help_window: HelpWindow, theme: Theme) -> None:
    help_window.show_section("data")
    place = help_window.page.verticalScrollBar().value()
    assert place > 0
    theme.choose("dark")
    assert theme.colours.text in help_window.page.document().defaultStyleSheet()
    assert help_window.page.verticalScrollBar().value() == place
    theme.choose("system")


def test_narrow_help_leaves_the_room_to_the_text(help_window: HelpWindow, qtbot: QtBot) -> None:
    help_window.resize(800, 500)
    assert help_window.contents.isVisible()
    help_window.resize(400, 400)
    assert not help_window.contents.isVisible()
    qtbot.waitUntil(lambda: help_window.page.horizontalScrollBar().maximum() == 0)


def test_settings_lead_to_the_help_about_moving_the_list(window: MainWindow) -> None:
    window.menu_actions.settings.trigger()
    assert window.settings.dialog is not None
    window.settings.dialog.how_to_move.click()
    assert window.help.help is not None
    assert window.help.help.isVisible()
    assert window.help.help.contents.currentRow() == SECTIONS.index("data")


# --- About


@pytest.fixture
def about(window: MainWindow) -> AboutDialog:
    window.menu_actions.about.trigger()
    dialog = window.findChild(AboutDialog)
    assert isinstance(dialog, AboutDialog)
    return dialog


def test_about_tells_the_versions_and_copies_them(about: AboutDialog) -> None:
    model = about.table.model()
    rows = {model.index(row, 0).data(): model.index(row, 2).data() for row in range(model.rowCount())}
    assert {"Python", "Qt", "SQLite", "boto3", "peewee"} <= set(rows)
    assert all(rows.values())
    (copy,) = (button for button in about.findChildren(QPushButton) if "Copy" in button.text())
    copy.click()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0] == f"Filemill {__version__}"
    assert any(re.fullmatch(r"boto3 \d+\.\d+\.\d+", line) for line in lines)


def test_licences_begin_with_that_of_filemill_and_contain_those_of_the_libraries(about: AboutDialog) -> None:
    shown = about.show_licences()
    assert isinstance(shown, LicencesDialog)
    text = shown.text.toPlainText()
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8").strip()
    assert text.startswith(f"Filemill\n\n{licence}\n")
    for words in ("GNU LESSER GENERAL PUBLIC LICENSE", "Apache License", "Charles Leifer", "PSF-2.0"):
        assert words in text
    assert text.count("GNU LESSER GENERAL PUBLIC LICENSE\n") == 1
