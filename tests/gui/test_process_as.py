"""Choosing what is done to files: the menu, the review sheet, Retry As, and the rules by file type."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, TypeVar

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from desktop_app.config.settings import Settings, load_settings
from desktop_app.domain.fields import BY_TYPE, Choice
from desktop_app.domain.job import Status
from desktop_app.gui.processors.dialog import ProcessAsDialog
from desktop_app.gui.processors.rules_dialog import RulesDialog
from desktop_app.services.support.previews import Preview
from desktop_app.store.processors import WorkerProcessors
from tests.helpers.processors import WordProcessor

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory

Widget = TypeVar("Widget", bound=QWidget)

LEFT = Qt.MouseButton.LeftButton


def entries(window: MainWindow) -> dict[str, QAction]:
    """Return the entries of the menu as it opens."""
    menu = window.menu_actions.process_as.menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    return {action.text(): action for action in menu.actions() if action.text()}


def checked(window: MainWindow) -> list[str]:
    return [text for text, action in entries(window).items() if action.isChecked()]


def dialog_of(window: MainWindow) -> ProcessAsDialog:
    return window.findChildren(ProcessAsDialog)[-1]


def choose(dialog: ProcessAsDialog, processor: str) -> None:
    dialog.box.setCurrentIndex(dialog.box.findData(processor))


def first(parent: QWidget, kind: type[Widget]) -> Widget:
    return parent.findChildren(kind)[0]


def processors(windows: WindowFactory) -> list[tuple[str, str]]:
    return [(job.processor, job.options) for job in windows.jobs_db.jobs.all()]


def test_menu_offers_all_processors_and_remembers_the_choice(windows: WindowFactory) -> None:
    window = windows.open()
    assert list(entries(window)) == [
        "Lines and size",
        "Words && phrases",
        "&Options…",
        "&Rules by File Type…",
        "&Commands…",
    ]
    assert checked(window) == ["Lines and size"]
    entries(window)["Words && phrases"].trigger()
    assert window.processors.current == Choice("words")
    assert window.menu_actions.process_as.text() == "Pro&cess as: Words && phrases"
    window.close()
    assert windows.open().processors.current == Choice("words")


def test_choice_that_is_not_available_any_more_is_forgotten(windows: WindowFactory) -> None:
    window = windows.open()
    window.processors.choose(Choice("gone"))
    assert window.processors.current == BY_TYPE
    assert checked(window) == ["Lines and size"]


def test_rules_are_offered_as_a_choice_if_there_are_any(windows: WindowFactory) -> None:
    windows.settings = Settings(type_rules="*.csv => words")
    window = windows.open()
    assert checked(window) == ["By file type"]
    entries(window)["Lines and size"].trigger()
    assert window.processors.current == Choice("lines")


def test_files_are_added_with_the_chosen_processor_and_options(
    windows: WindowFactory, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("a b a")
    window = windows.open()
    entries(window)["Words && phrases"].trigger()
    entries(window)["&Options…"].trigger()
    dialog = dialog_of(window)
    assert dialog.box.processor == "words"
    assert dialog.fields.values() == {}
    first(dialog, QLineEdit).setText("b")
    first(dialog, QPlainTextEdit).setPlainText("c\nd")
    first(dialog, QCheckBox).setChecked(False)
    first(dialog, QSpinBox).setValue(7)
    first(dialog, QDoubleSpinBox).setValue(0.25)
    dialog.findChildren(QComboBox)[1].setCurrentText("first")
    QTest.mouseClick(dialog.confirm, LEFT)
    expected = '{"case": false, "kind": "first", "list": "c\\nd", "most": 7, "share": 0.25, "word": "b"}'
    assert window.processors.current == Choice("words", expected)
    window.add([str(tmp_path / "a.txt")])
    qtbot.waitUntil(lambda: processors(windows) == [("words", expected)])


def test_sheet_shows_the_choice_and_keeps_another_one(windows: WindowFactory, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text("a")
    window = windows.open()
    window._list.adder.add([str(folder)], always_review=True, choice=window.processors.current)
    qtbot.waitUntil(lambda: window.adding.sheet is not None and window.adding.sheet.isVisible())
    sheet = window.adding.sheet
    assert sheet is not None
    assert sheet.process_as.box.currentText() == "Lines and size"
    assert not sheet.process_as.options.isEnabled()
    sheet.process_as.box.setCurrentIndex(sheet.process_as.box.findData("words"))
    sheet.process_as.box.activated.emit(sheet.process_as.box.currentIndex())
    QTest.mouseClick(sheet.process_as.options, LEFT)
    dialog = first(sheet, ProcessAsDialog)
    first(dialog, QLineEdit).setText("b")
    QTest.mouseClick(dialog.confirm, LEFT)
    sheet.accept()
    qtbot.waitUntil(lambda: processors(windows) == [("words", '{"word": "b"}')] * 2)
    assert window.processors.current == Choice("words", '{"word": "b"}')


def test_selected_files_are_retried_with_another_processor(windows: WindowFactory, qtbot: QtBot) -> None:
    done, waiting = windows.jobs_db.add("/a.txt", "/b.txt")
    windows.jobs_db.finish(done)
    window = windows.open()
    assert not window.menu_actions.retry_as.isEnabled()
    window.view.selectAll()
    qtbot.waitUntil(window.menu_actions.retry_as.isEnabled)
    window.menu_actions.retry_as.trigger()
    dialog = dialog_of(window)
    assert dialog.box.currentText() == "Lines and size"
    assert dialog.fields.values() == {}
    choose(dialog, "words")
    QTest.mouseClick(dialog.confirm, LEFT)
    qtbot.waitUntil(lambda: processors(windows) == [("words", "")] * 2)
    assert {job.status for job in windows.jobs_db.jobs.all()} == {Status.PENDING}
    assert {job.row_id: job.generation for job in windows.jobs_db.jobs.all()} == {done: 2, waiting: 2}


@pytest.mark.parametrize("options", ['{"word": 7}', "[]", '{"other": 1}'])
def test_options_of_another_version_are_replaced_by_the_defaults(windows: WindowFactory, options: str) -> None:
    window = windows.open()
    window.processors.choose(Choice("words", options))
    entries(window)["&Options…"].trigger()
    assert dialog_of(window).fields.values() == {}


def test_rules_are_set_in_a_dialog(windows: WindowFactory) -> None:
    window = windows.open()
    entries(window)["&Rules by File Type…"].trigger()
    dialog = first(window, RulesDialog)
    QTest.mouseClick(dialog.add, LEFT)
    row = dialog._rows[0]
    QTest.keyClicks(row.patterns, "*.csv")
    row.processor.setCurrentIndex(row.processor.findData("words"))
    row.processor.activated.emit(1)
    assert load_settings(windows.settings_file).type_rules == "*.csv => words"
    QTest.mouseClick(dialog.add, LEFT)
    QTest.keyClicks(dialog._rows[1].patterns, "*.md")
    dialog.close()
    assert load_settings(windows.settings_file).type_rules == "*.csv => words\n*.md => lines"


def test_rules_are_shown_and_removed(windows: WindowFactory) -> None:
    windows.settings = Settings(type_rules="*.csv => words\n*.x => gone")
    window = windows.open()
    window.settings.open()
    assert window.settings.dialog is not None
    QTest.mouseClick(window.settings.dialog.rules, LEFT)
    dialog = first(window.settings.dialog, RulesDialog)
    shown = [(row.patterns.text(), row.processor.currentText()) for row in dialog._rows]
    assert shown == [("*.csv", "Words & phrases"), ("*.x", "gone")]
    dialog._rows[0].removed.emit()
    assert load_settings(windows.settings_file).type_rules == "*.x => gone"


def test_details_show_what_a_file_was_processed_with_and_its_result(windows: WindowFactory, qtbot: QtBot) -> None:
    (key,) = windows.jobs_db.add("/a.txt")
    windows.jobs_db.finish(key)
    result = '{"words":1234,"first":"<b>x</b>","share":0.25,"ok":true}'
    windows.jobs_db.change(key, processor="words", processor_version=3, result=result)
    window = windows.open()
    window.menu_actions.details.setChecked(True)
    window.view.selectAll()
    qtbot.waitUntil(lambda: bool(window.details.summary.facts))
    facts = dict(window.details.summary.facts)
    assert facts["Processed as"] == "Words & phrases, version 3"
    assert [facts[name] for name in ("Words", "First word", "share", "ok")] == ["1,234", "<b>x</b>", "0.25", "Yes"]


def test_details_show_the_first_lines_of_a_text_or_a_small_picture(windows: WindowFactory, qtbot: QtBot) -> None:
    asked: list[str] = []
    picture = io.BytesIO()
    Image.new("RGB", (8, 4)).save(picture, "PNG")

    def preview(path: str, _: int) -> Preview:
        asked.append(path)
        return Preview(picture.getvalue()) if path.endswith(".png") else Preview(text="<b>one</b>\ntwo")

    windows.preview = preview
    windows.jobs_db.add("/a.txt", "/b.png")
    window = windows.open()
    window.menu_actions.details.setChecked(True)
    label = window.details.summary_page._preview
    window.view.select_rows(0, 0)
    qtbot.waitUntil(lambda: label.text() == "<b>one</b>\ntwo")
    assert label.isVisibleTo(window)
    window.view.select_rows(1, 1)
    qtbot.waitUntil(lambda: label.pixmap().width() == 8)
    window.view.clearSelection()
    qtbot.waitUntil(lambda: not label.isVisibleTo(window))
    assert asked == ["/a.txt", "/b.png"]


def test_field_in_the_details_becomes_a_column_by_one_click(windows: WindowFactory, qtbot: QtBot) -> None:
    (key,) = windows.jobs_db.add("/a.txt")
    windows.jobs_db.finish(key)
    windows.jobs_db.change(key, processor="words", result='{"words":1234}')
    WorkerProcessors(windows.jobs_db.database).announce(
        "w/1", queue="local", versions={"words": 3}, fields={"words": WordProcessor.fields}, now_ms=1
    )
    window = windows.open()
    window.menu_actions.details.setChecked(True)
    window.view.selectAll()
    qtbot.waitUntil(lambda: bool(window.details.summary.fields))
    button = next(one for one in window.details.summary_page.findChildren(QPushButton) if one.text() == "Words")
    qtbot.waitUntil(lambda: window.view._jobs.columns.of_field("words") is not None)
    assert "Words" not in [column.heading for column in window.view.header.shown_columns()]
    QTest.mouseClick(button, LEFT)
    assert "Words" in [column.heading for column in window.view.header.shown_columns()]
