"""The log window: it is updated, filtered and copied, and is fast with full log files."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from desktop_app.gui.diagnostics import log_model
from desktop_app.gui.diagnostics.log_model import LEVEL, MESSAGE, TIME, LogModel, level_word
from desktop_app.gui.wording import Wording
from desktop_app.logs.log import log_file
from desktop_app.logs.tail import LogTail, records_of
from tests.gui.action_scene import open_urls_with

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.diagnostics.log_window import LogWindow
    from desktop_app.gui.theme.theme import Theme
    from tests.gui.conftest import WindowFactory

CTRL = Qt.KeyboardModifier.ControlModifier


def line(text: str, level: str = "INFO") -> str:
    return f"2026-11-24T09:28:11.123Z {level:7} [4120 sender] desktop_app.services.sending.sender: {text}\n"


def write(windows: WindowFactory, *lines: str) -> None:
    windows.log_folder.mkdir(exist_ok=True)
    with log_file(windows.log_folder).open("a", encoding="utf-8") as stream:
        stream.writelines(lines)


def open_log(windows: WindowFactory, qtbot: QtBot) -> LogWindow:
    window = windows.open_active()
    QTest.keyClick(window, Qt.Key.Key_L, CTRL)
    log = window.help.log
    assert log is not None
    qtbot.waitUntil(log.isActiveWindow)
    return log


def shown(log: LogWindow) -> list[str]:
    return [str(log.model.index(row, MESSAGE).data()) for row in range(log.model.rowCount())]


def press(log: LogWindow, text: str) -> None:
    button = next(one for one in log.findChildren(QPushButton) if one.text().replace("&", "") == text)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_window_shows_new_lines_as_they_are_written(windows: WindowFactory, qtbot: QtBot) -> None:
    write(windows, line("one"), line("two", "WARNING"))
    log = open_log(windows, qtbot)
    qtbot.waitUntil(lambda: shown(log) == ["one", "two"])
    assert [log.model.index(row, LEVEL).data() for row in (0, 1)] == ["Info", "Warning"]
    write(windows, line("three", "ERROR"), "    Traceback\n", "    ValueError\n")
    qtbot.waitUntil(lambda: shown(log) == ["one", "two", "three …"])
    assert log.state.text() == "3 entries"


def test_level_and_words_filter_the_log(windows: WindowFactory, qtbot: QtBot) -> None:
    write(
        windows, line("sending a"), line("sending b", "WARNING"), line("reading", "CRITICAL"), line("detail", "DEBUG")
    )
    log = open_log(windows, qtbot)
    qtbot.waitUntil(lambda: log.model.rowCount() == 4)
    log.level.setCurrentIndex(2)
    assert shown(log) == ["sending b", "reading"]
    QTest.keyClick(log, Qt.Key.Key_F, CTRL)
    assert log.filter.hasFocus()
    QTest.keyClicks(log.filter, "B SEND")
    qtbot.waitUntil(lambda: shown(log) == ["sending b"])
    assert log.state.text() == "1 of 4 entries"
    write(windows, line("sending bbb", "ERROR"), line("sending c", "ERROR"))
    qtbot.waitUntil(lambda: shown(log) == ["sending b", "sending bbb"])


def test_following_stops_when_the_user_scrolls_up_and_continues_at_the_end(
    windows: WindowFactory, qtbot: QtBot
) -> None:
    write(windows, *(line(f"entry {number}") for number in range(300)))
    log = open_log(windows, qtbot)
    bar = log.view.verticalScrollBar()
    qtbot.waitUntil(lambda: log.model.rowCount() == 300 and bar.value() == bar.maximum() > 0)
    assert log.follow.isChecked()
    bar.setValue(10)
    assert not log.follow.isChecked()
    write(windows, line("more"))
    qtbot.waitUntil(lambda: log.model.rowCount() == 301)
    assert bar.value() == 10
    bar.setValue(bar.maximum())
    assert log.follow.isChecked()
    write(windows, line("even more"))
    qtbot.waitUntil(lambda: log.model.rowCount() == 302)
    assert bar.value() == bar.maximum()
    bar.setValue(0)
    QTest.mouseClick(log.follow, Qt.MouseButton.LeftButton, pos=QPoint(10, log.follow.height() // 2))
    assert bar.value() == bar.maximum()


def test_focusing_the_table_by_keyboard_selects_nothing(windows: WindowFactory, qtbot: QtBot) -> None:
    """Qt then makes the first row the current one, which must not select it."""
    log = open_log(windows, qtbot)
    log.filter.setFocus()
    write(windows, *(line(f"entry {number}") for number in range(300)))
    qtbot.waitUntil(lambda: log.model.rowCount() == 300)
    log.view.setFocus()
    assert log.follow.isChecked()
    assert log.whole.toPlainText() == ""


def test_selected_entry_is_shown_in_full_and_stays_in_view(windows: WindowFactory, qtbot: QtBot) -> None:
    write(windows, line("first"), line("ended", "ERROR"), "    Traceback\n", "    ValueError: x\n", line("last"))
    log = open_log(windows, qtbot)
    qtbot.waitUntil(lambda: log.model.rowCount() == 3)
    log.view.setFocus()
    QTest.keyClick(log.view, Qt.Key.Key_Home, CTRL)
    QTest.keyClick(log.view, Qt.Key.Key_Down)
    assert log.whole.toPlainText().endswith("ended\n    Traceback\n    ValueError: x")
    assert not log.follow.isChecked()


def test_copy_takes_the_selected_entries_or_all_shown(windows: WindowFactory, qtbot: QtBot) -> None:
    write(windows, line("one"), line("two"), "    more\n", line("three"))
    log = open_log(windows, qtbot)
    qtbot.waitUntil(lambda: log.model.rowCount() == 3)
    press(log, "Copy")
    assert QGuiApplication.clipboard().text() == log_file(windows.log_folder).read_text(encoding="utf-8")
    log.view.selectRow(1)
    log.view.setFocus()
    QTest.keyClick(log.view, Qt.Key.Key_C, CTRL)
    assert QGuiApplication.clipboard().text() == line("two") + "    more\n"
    assert log.state.text() == "Copied 1 entry."


def test_selected_part_of_an_entry_is_copied(windows: WindowFactory, qtbot: QtBot) -> None:
    write(windows, line("one"))
    log = open_log(windows, qtbot)
    qtbot.waitUntil(lambda: log.model.rowCount() == 1)
    log.view.selectRow(0)
    log.whole.setFocus()
    QTest.keyClick(log.whole, Qt.Key.Key_Right, CTRL | Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(log.whole, Qt.Key.Key_C, CTRL)
    assert line("one").startswith(QGuiApplication.clipboard().text())
    assert len(QGuiApplication.clipboard().text()) < 30


def test_cleared_view_shows_only_new_lines_and_keeps_the_file(windows: WindowFactory, qtbot: QtBot) -> None:
    write(windows, line("old"))
    log = open_log(windows, qtbot)
    qtbot.waitUntil(lambda: shown(log) == ["old"])
    press(log, "Clear View")
    assert shown(log) == []
    write(windows, line("new"))
    qtbot.waitUntil(lambda: shown(log) == ["new"])
    assert line("old") in log_file(windows.log_folder).read_text(encoding="utf-8")


def test_log_folder_is_opened_or_its_path_is_shown(
    windows: WindowFactory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    answers = iter((True, False))

    def open_url(url: QUrl) -> bool:
        opened.append(url)
        return next(answers)

    open_urls_with(monkeypatch, open_url)
    log = open_log(windows, qtbot)
    press(log, "Open Log Folder")
    assert opened == [QUrl.fromLocalFile(str(windows.log_folder))]
    press(log, "Open Log Folder")
    assert log.state.text() == f"The log is in {windows.log_folder}."


def test_log_window_opens_once_and_closes_with_escape_and_the_main_window(windows: WindowFactory, qtbot: QtBot) -> None:
    write(windows, line("one"))
    log = open_log(windows, qtbot)
    QTest.keyClick(log, Qt.Key.Key_Escape)
    assert not log.isVisible()
    window = log.parentWidget()
    assert window is not None
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_L, CTRL)
    qtbot.waitUntil(log.isVisible)
    qtbot.waitUntil(lambda: shown(log) == ["one"])
    window.close()
    assert not log.isVisible()


def test_files_are_not_read_while_the_window_is_closed(windows: WindowFactory, qtbot: QtBot) -> None:
    log = open_log(windows, qtbot)
    log.close()
    windows.settle()
    write(windows, line("one"))
    assert not any(timer.isActive() for timer in log.findChildren(QTimer))


def test_screen_reader_gets_the_important_columns_first(theme: Theme) -> None:
    model = LogModel(theme)
    model.append(list(records_of([line("all is lost", "ERROR").rstrip()])))
    spoken = model.index(0, TIME).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Error, all is lost, ")


def test_level_is_shown_by_word_and_shape(theme: Theme) -> None:
    assert [level_word(level) for level in (0, 10, 20, 25, 30, 40, 50)] == [
        "",
        "Debug",
        "Info",
        "Info",
        "Warning",
        "Error",
        "Critical",
    ]
    model = LogModel(theme)
    model.append(list(records_of([line("x", "ERROR").rstrip(), line("y").rstrip()])))
    assert model.index(0, LEVEL).data(Qt.ItemDataRole.DecorationRole) is not None
    assert model.index(1, LEVEL).data(Qt.ItemDataRole.DecorationRole) is None


def test_oldest_entries_are_removed(theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_model, "MAX_RECORDS", 100)
    model = LogModel(theme)
    model.set_filter(logging.WARNING, "")
    for start in range(0, 300, 30):
        levels = ("INFO", "WARNING")
        model.append(
            list(records_of(line(str(number), levels[number % 2]).rstrip() for number in range(start, start + 30)))
        )
    assert model.total <= 100
    texts = [str(model.index(row, MESSAGE).data()) for row in range(model.rowCount())]
    assert texts == [str(number) for number in range(301 - 2 * len(texts), 300, 2)]


def test_full_log_is_read_shown_and_filtered_quickly(theme: Theme, tmp_path: Path) -> None:
    """With 5 MB, the maximum of the files, or 40,000 entries. Generous limits, for slow machines."""
    text = "".join(
        line(f"message 3f2b of file {number} not sent yet: the queue does not answer") for number in range(8000)
    )
    for suffix in ("", ".1", ".2", ".3", ".4"):
        (tmp_path / f"filemill.log{suffix}").write_text(text, encoding="utf-8")
    began = time.perf_counter()
    records = LogTail(tmp_path).read()
    model = LogModel(theme)
    read = time.perf_counter()
    model.append(records)
    model.set_filter(logging.INFO, "file 79")
    filtered = time.perf_counter()
    assert model.total == 40_000
    assert model.rowCount() == 5 * sum("79" in str(number) for number in range(8000))
    assert read - began < 3
    assert filtered - read < 1


def test_missing_log_is_empty(windows: WindowFactory, qtbot: QtBot) -> None:
    log = open_log(windows, qtbot)
    qtbot.waitUntil(lambda: log.state.text() == "0 entries")


def test_times_follow_the_rule_of_the_program_and_the_tool_tip_is_exact(windows: WindowFactory, qtbot: QtBot) -> None:
    write(windows, line("Sent 10 messages."))
    log = open_log(windows, qtbot)
    qtbot.waitUntil(lambda: log.model.rowCount() == 1)
    index = log.model.index(0, TIME)
    moment = QDateTime.fromString("2026-11-24T09:28:11.123Z", Qt.DateFormat.ISODateWithMs)
    assert index.data() == Wording(QLocale()).stamp(moment.toMSecsSinceEpoch())
    assert str(index.data(Qt.ItemDataRole.ToolTipRole)).endswith(":28:11.123")
    assert log.view.columnWidth(TIME) > log.view.fontMetrics().horizontalAdvance(str(index.data()))
    for column in range(log.model.columnCount()):
        role = Qt.ItemDataRole.TextAlignmentRole
        title = log.model.headerData(column, Qt.Orientation.Horizontal, role)
        assert title == log.model.index(0, column).data(role)


def test_no_level_is_cut_off(windows: WindowFactory, qtbot: QtBot) -> None:
    levels = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    write(windows, *(line("x", level) for level in levels))
    log = open_log(windows, qtbot)
    qtbot.waitUntil(lambda: len(shown(log)) >= len(levels))
    assert log.view.sizeHintForColumn(LEVEL) <= log.view.columnWidth(LEVEL)


def test_screen_reader_says_what_is_chosen_by_level(windows: WindowFactory, qtbot: QtBot) -> None:
    log = open_log(windows, qtbot)
    labels = [label.text() for label in log.findChildren(QLabel) if label.buddy() is log.level]
    assert labels == ["Level"]
