"""Export List, from Ctrl+Shift+E to the file."""

from __future__ import annotations

import csv
import errno
import json
import os
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton

from desktop_app.config.atomic_write import NotWrittenError
from desktop_app.gui import operations as operations_module
from desktop_app.gui.export import dialog as export_target
from desktop_app.gui.export import exporter as exporting
from desktop_app.gui.export.dialog import ExportDialog, Rows
from desktop_app.gui.export.exporter import Format
from desktop_app.gui.table.columns import COLUMNS
from desktop_app.services.support.export import ALL_FIELDS, FIELDS
from desktop_app.store.list_query import SORT_TERMS

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory
    from tests.gui.jobs_database import JobsDatabase


def press(window: MainWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
    QTest.keyClick(window, key, modifiers)


CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def open_dialog(window: MainWindow, qtbot: QtBot) -> ExportDialog:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    press(window, Qt.Key.Key_E, CTRL | SHIFT)
    dialog = window.export.dialog
    assert dialog is not None
    qtbot.waitUntil(dialog.isActiveWindow)
    return dialog


def finished(window: MainWindow, qtbot: QtBot) -> str:
    qtbot.waitUntil(lambda: window.notices.notice is not None)
    assert window.notices.notice is not None
    return window.notices.notice.text


def rows_of(path: Path, separator: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=separator))


def test_failed_files_are_exported_to_csv_in_three_steps(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path
) -> None:
    keys = jobs_db.add("a.txt", "=b.txt", "c.txt")
    jobs_db.finish(keys[0])
    jobs_db.fail(keys[1])
    window = windows.open_active()
    press(window, Qt.Key.Key_5, CTRL)
    qtbot.waitUntil(lambda: windows.names() == ["=b.txt"])
    dialog = open_dialog(window, qtbot)
    target = tmp_path / "failed.csv"
    dialog.path.setText(str(target))  # otherwise into the home folder
    focus = QApplication.focusWidget()
    assert focus is not None
    QTest.keyClick(focus, Qt.Key.Key_Return)
    assert finished(window, qtbot) == "Exported 1 file to “failed.csv”."
    (row,) = rows_of(target)
    assert (row["name"], row["status"], row["reason"]) == ("'=b.txt", "FAILED", "The file no longer exists")
    assert window.notices.buttons[0].text() == "Show in Folder"
    assert window.export.dialog is None


def test_chosen_rows_columns_and_format_are_exported(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path
) -> None:
    keys = jobs_db.add("a.txt", "b.txt", "c.txt")
    jobs_db.finish(keys[1], lines=9)
    window = windows.open_active()
    window.view.select_rows(1, 2)
    dialog = open_dialog(window, qtbot)
    assert dialog.rows[Rows.SHOWN].text().replace("&", "") == "The files shown in the list (3 files)"
    assert dialog.rows[Rows.SELECTED].text().replace("&", "") == "Only the selected files (2 files)"
    QTest.mouseClick(dialog.rows[Rows.SELECTED], Qt.MouseButton.LeftButton)
    QTest.mouseClick(dialog.columns[False], Qt.MouseButton.LeftButton)
    dialog.path.setText(str(tmp_path / "list.csv"))
    dialog.format.setCurrentIndex(dialog.format.findData(Format.JSON))
    assert dialog.path.text() == str(tmp_path / "list.json")
    QTest.mouseClick(dialog.button, Qt.MouseButton.LeftButton)
    assert finished(window, qtbot) == "Exported 2 files to “list.json”."
    told = json.loads((tmp_path / "list.json").read_text(encoding="utf-8"))
    assert [tuple(one) for one in told] == [ALL_FIELDS, ALL_FIELDS]
    assert ALL_FIELDS[: len(FIELDS)] == FIELDS  # the fields of the command line come first
    assert [(one["file_path"], one["lines_count"]) for one in told] == [("/in/b.txt", 9), ("/in/c.txt", None)]


def test_all_files_are_exported_in_the_order_of_the_list_despite_a_filter(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path
) -> None:
    jobs_db.add("a.txt", "b.txt", "c.txt")
    window = windows.open_active()
    window.view.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    window.filter.setText("b.txt")
    qtbot.waitUntil(lambda: windows.names() == ["b.txt"])
    dialog = open_dialog(window, qtbot)
    dialog.rows[Rows.ALL].setChecked(True)
    dialog.path.setText(str(tmp_path / "list"))
    dialog.button.click()
    assert finished(window, qtbot) == "Exported 3 files to “list.csv”."
    assert [row["name"] for row in rows_of(tmp_path / "list.csv")] == ["c.txt", "b.txt", "a.txt"]


def test_shown_columns_are_exported_in_their_order_on_the_screen(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path
) -> None:
    jobs_db.add("a.txt")
    window = windows.open_active()
    window.view.header.moveSection(window.view.header.visualIndex(4), 0)
    dialog = open_dialog(window, qtbot)
    dialog.path.setText(str(tmp_path / "list.csv"))
    dialog.button.click()
    finished(window, qtbot)
    assert list(rows_of(tmp_path / "list.csv")[0])[:2] == ["file_size", "name"]


def test_existing_file_is_replaced_only_after_confirmation(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path
) -> None:
    jobs_db.add("a.txt")
    target = tmp_path / "list.csv"
    target.write_text("mine", encoding="utf-8")
    window = windows.open_active()
    dialog = open_dialog(window, qtbot)
    dialog.path.setText(str(target))
    dialog.button.click()
    qtbot.waitUntil(dialog.isVisible)
    assert "already exists" in dialog.error_text
    assert target.read_text(encoding="utf-8") == "mine"
    assert dialog.button.text() == "&Replace"
    dialog.button.click()
    assert finished(window, qtbot) == "Exported 1 file to “list.csv”."
    assert len(rows_of(target)) == 1


def test_confirmation_does_not_apply_to_another_name(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path
) -> None:
    jobs_db.add("a.txt")
    window = windows.open_active()
    dialog = open_dialog(window, qtbot)
    (tmp_path / "one.csv").write_text("mine", encoding="utf-8")
    (tmp_path / "two.csv").write_text("mine too", encoding="utf-8")
    dialog.path.setText(str(tmp_path / "one.csv"))
    dialog.button.click()
    qtbot.waitUntil(dialog.isVisible)
    dialog.path.setText(str(tmp_path / "two.csv"))
    dialog.button.click()
    qtbot.waitUntil(dialog.isVisible)
    assert (tmp_path / "two.csv").read_text(encoding="utf-8") == "mine too"


def test_missing_folder_is_reported_in_the_dialog(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path
) -> None:
    jobs_db.add("a.txt")
    window = windows.open_active()
    dialog = open_dialog(window, qtbot)
    dialog.path.setText(str(tmp_path / "gone" / "list.csv"))
    dialog.button.click()
    qtbot.waitUntil(dialog.isVisible)
    assert dialog.error_text == f"The folder {tmp_path / 'gone'} does not exist. Choose another one."
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.export.dialog is None
    assert list(tmp_path.glob(".*.part")) == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "There is not enough free space on the disk for “list.csv”."),
        (errno.EACCES, "The folder {folder} is not writable."),
        (errno.EROFS, "The folder {folder} is not writable."),
        (errno.EISDIR, "“list.csv” is a folder."),
        (errno.EIO, "list.csv can't be written: oh"),
    ],
)
def test_write_errors_are_explained(tmp_path: Path, code: int, words: str) -> None:
    error = NotWrittenError("list.csv can't be written: oh.", code=code)
    assert exporting.why_not_written(tmp_path / "list.csv", error).startswith(words.format(folder=tmp_path))


def test_empty_name_is_rejected(windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    jobs_db.add("a.txt")
    dialog = open_dialog(windows.open_active(), qtbot)
    dialog.path.clear()
    dialog.button.click()
    assert dialog.isVisible()
    assert dialog.error_text == "Choose a file to export to."


def test_long_export_shows_progress_and_leaves_no_file_when_stopped(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_JOBS_PER_STEP", 1)
    monkeypatch.setattr(operations_module, "SHOWN_AFTER_MS", 0)
    jobs_db.add_many(4000)
    window = windows.open_active()
    dialog = open_dialog(window, qtbot)
    dialog.path.setText(str(tmp_path / "list.csv"))
    told: list[str] = []
    operations = windows.controller().operations

    def stop_soon() -> None:
        texts = [operation.text for operation in operations.shown]
        told.extend(texts)
        if texts and "of" in texts[0] and not operations.shown[0].is_stopped:
            window.busy.findChildren(QPushButton)[0].click()

    operations.changed.connect(stop_soon)
    dialog.button.click()
    assert finished(window, qtbot) == "The export was stopped. Nothing was written."
    assert any(text.startswith("Exporting the list: ") and text.endswith(" of 4,000 files") for text in told)
    assert not window.busy.isVisible()
    assert not [*tmp_path.glob("*.csv"), *tmp_path.glob(".*.part")]


def test_short_export_does_not_make_the_window_flicker(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path
) -> None:
    jobs_db.add("a.txt")
    window = windows.open_active()
    dialog = open_dialog(window, qtbot)
    dialog.path.setText(str(tmp_path / "list.csv"))
    told: list[bool] = []
    windows.controller().operations.changed.connect(lambda: told.append(window.busy.isVisible()))
    dialog.button.click()
    finished(window, qtbot)
    assert told == []


def test_closing_the_window_stops_an_export(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path
) -> None:
    jobs_db.add_many(3000)
    window = windows.open_active()
    dialog = open_dialog(window, qtbot)
    dialog.path.setText(str(tmp_path / "list.csv"))
    dialog.button.click()
    windows.controller().stop()
    windows.settle()
    assert not list(tmp_path.glob(".*.part"))


def test_export_is_a_snapshot(windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path) -> None:
    """Changes during the export are not in it: no job twice, none missing, no inconsistent sums."""
    keys = jobs_db.add_many(1200)
    with jobs_db.jobs.snapshot():
        before = [job.status.name for job in jobs_db.jobs.listed(keys[:1])]
        qtbot.waitUntil(lambda: _finish_on_another_thread(jobs_db, keys))
        assert [job.status.name for job in jobs_db.jobs.listed(keys)] == before * 1200
    assert {job.status.name for job in jobs_db.jobs.listed(keys)} == {"PROCESSED"}


def _finish_on_another_thread(jobs_db: JobsDatabase, keys: list[int]) -> bool:
    from threading import Thread

    def work() -> None:
        with jobs_db.database.session():
            jobs_db.finish(keys)

    thread = Thread(target=work)
    thread.start()
    thread.join()
    return True


def test_choices_are_remembered(windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path) -> None:
    jobs_db.add("a.txt")
    window = windows.open_active()
    dialog = open_dialog(window, qtbot)
    dialog.format.setCurrentIndex(dialog.format.findData(Format.JSON))
    dialog.columns[False].setChecked(True)
    dialog.path.setText(str(tmp_path / "list.json"))
    dialog.button.click()
    finished(window, qtbot)
    again = open_dialog(window, qtbot)
    assert again.form is Format.JSON
    assert again.columns[False].isChecked()
    assert again.path.text().startswith(str(tmp_path))


def test_file_chosen_in_the_file_dialog_needs_no_confirmation(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path
) -> None:
    jobs_db.add("a.txt")
    (tmp_path / "list.csv").write_text("old", encoding="utf-8")
    window = windows.open_active()
    dialog = open_dialog(window, qtbot)
    dialog.choose()
    chooser = dialog.findChild(QFileDialog)
    assert chooser is not None
    assert chooser.defaultSuffix() == "csv"
    chooser.fileSelected.emit(str(tmp_path / "list.csv"))
    chooser.reject()
    dialog.button.click()
    assert finished(window, qtbot) == "Exported 1 file to “list.csv”."


def test_offer_follows_the_list_while_the_dialog_is_open(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot
) -> None:
    jobs_db.add("a.txt")
    window = windows.open_active()
    dialog = open_dialog(window, qtbot)
    assert not dialog.rows[Rows.SELECTED].isEnabled()
    jobs_db.add("b.txt")
    windows.controller().feed.look()
    qtbot.waitUntil(lambda: "(2 files)" in dialog.rows[Rows.ALL].text())
    window.view.select_rows(0, 0)
    assert dialog.rows[Rows.SELECTED].isEnabled()
    dialog.rows[Rows.SELECTED].setChecked(True)
    window.view.clearSelection()
    assert dialog.rows[Rows.SHOWN].isChecked()


def test_export_is_disabled_for_an_empty_list(windows: WindowFactory) -> None:
    assert not windows.open().menu_actions.export.isEnabled()


def test_every_column_of_the_table_has_its_fields() -> None:
    assert all(column.export_fields for column in COLUMNS)
    assert {field for column in COLUMNS for field in column.export_fields} <= set(ALL_FIELDS)


def test_every_column_is_sorted_by_a_key_of_the_database() -> None:
    assert {column.sort_key for column in COLUMNS} <= {None, *SORT_TERMS}


def test_semicolons_are_the_default_where_numbers_have_a_decimal_comma() -> None:
    assert export_target.default_format() is Format.CSV
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.German))
    assert export_target.default_format() is Format.CSV_SEMICOLON
    QLocale.setDefault(before)


def test_home_and_relative_names_are_understood(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, isolated_environment: Path
) -> None:
    jobs_db.add("a.txt")
    dialog = open_dialog(windows.open_active(), qtbot)
    home = isolated_environment
    for typed, path in (("~/x.csv", home / "x.csv"), ("x", home / "x.csv"), (os.sep + "x.CSV", f"{os.sep}x.CSV")):
        dialog.path.setText(typed)
        assert dialog.request is not None
        assert str(dialog.request.target) == str(path)


def test_enter_in_the_file_name_exports(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot, tmp_path: Path
) -> None:
    jobs_db.add("a.txt")
    window = windows.open_active()
    dialog = open_dialog(window, qtbot)
    dialog.path.setFocus()
    QTest.keyClick(dialog.path, Qt.Key.Key_A, CTRL)
    QTest.keyClicks(dialog.path, str(tmp_path / "x.csv"))
    QTest.keyClick(dialog.path, Qt.Key.Key_Return)
    assert finished(window, qtbot) == "Exported 1 file to “x.csv”."


def test_path_is_added_to_the_shown_columns_unless_the_user_does_not_want_it(
    windows: WindowFactory, qtbot: QtBot
) -> None:
    windows.jobs_db.add("a.csv", "a.csv")
    window = windows.open()
    window.menu_actions.export.trigger()
    dialog = window.export.dialog
    assert dialog is not None
    request = dialog.request
    assert request is not None
    assert "file_path" in request.fields
    assert request.fields[:2] == ("name", "file_path")
    dialog.with_path.click()
    request = dialog.request
    assert request is not None
    assert "file_path" not in request.fields
    dialog.columns[False].click()
    assert not dialog.with_path.isEnabled()
    dialog.reject()


def test_dialog_has_no_room_for_choices_that_are_not_offered(
    windows: WindowFactory, jobs_db: JobsDatabase, qtbot: QtBot
) -> None:
    jobs_db.add("a")
    dialog = open_dialog(windows.open_active(), qtbot)
    below_path = dialog.path.mapTo(dialog, dialog.path.rect().bottomLeft()).y()
    above_button = dialog.button.mapTo(dialog, dialog.button.rect().topLeft()).y()
    assert above_button - below_path <= 20
