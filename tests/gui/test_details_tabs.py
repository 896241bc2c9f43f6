"""The Attempts, Message and Log tabs of the details, used with the keyboard and with the mouse."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QTabBar

from desktop_app.domain.errors import StoreError
from desktop_app.domain.job import Attempt, AttemptOutcome
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.gui.details.pages import SummaryPage
from desktop_app.gui.details.pane import WIDE
from desktop_app.gui.details.texts import Summary, attempt_result, message_facts
from desktop_app.gui.window_memory import WindowMemory
from desktop_app.logs.log import log_file, start_logging
from desktop_app.store.claims import ClaimRequest, Claims
from desktop_app.store.job_list import JobList
from desktop_app.store.results import Result, Work
from tests.gui.jobs_database import NOW_MS
from tests.helpers import a_reason

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow
    from desktop_app.gui.wording import Wording
    from tests.gui.conftest import WindowFactory
    from tests.gui.jobs_database import JobsDatabase

LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ours = logging.getLogger("desktop_app.test")


def start(jobs_db: JobsDatabase, key: int, *, worker: str = "computer/1", at: int = NOW_MS) -> int:
    job = jobs_db.jobs.page([key])[key]
    request = ClaimRequest(job.id, job.generation, "5fea-m", 1)
    return Claims(jobs_db.database).claim([request], worker=worker, now_ms=at, lease_ms=1_000)[0].token


def finish(jobs_db: JobsDatabase, key: int, token: int, *, reason: str = "", at: int = NOW_MS + 800) -> None:
    assert Work(jobs_db.database).finish(
        [Result(key, token, at, reason=a_reason(reason), lines_count=None if reason else 3)]
    )[0]


@pytest.fixture
def window(windows: WindowFactory) -> MainWindow:
    """Open a window with two files, the first with two attempts."""
    a, _ = windows.jobs_db.add("/data/a.txt", "/data/b.txt")
    token = start(windows.jobs_db, a)
    away = Reason(ReasonCode.IN_USE).tried_again(2, 5)
    Work(windows.jobs_db.database).give_back(a, token, now_ms=NOW_MS + 400, reason=away, next_try_at=NOW_MS + 5_000)
    finish(windows.jobs_db, a, start(windows.jobs_db, a, at=NOW_MS + 5_000), reason="It is gone", at=NOW_MS + 6_200)
    made = windows.open_active()
    made.menu_actions.sidebar.setChecked(False)  # the attempts have room for all columns
    made.resize(780, 600)
    made.menu_actions.details.trigger()
    made.view.select_rows(0, 0)
    return made


def cells(window: MainWindow) -> list[list[str]]:
    model = window.details.attempts.table.model()
    return [[str(model.index(row, column).data() or "") for column in range(5)] for row in range(model.rowCount())]


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


def press(key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClick(focused, key, modifiers)


# --- attempts


def test_attempts_are_listed_the_newest_first(window: MainWindow, wording: Wording, qtbot: QtBot) -> None:
    window.details.show_tab("attempts")
    qtbot.waitUntil(lambda: window.details.attempts.table.rowCount() == 2)
    assert cells(window) == [
        ["2", wording.stamp(NOW_MS + 5_000), "1.2\N{NO-BREAK SPACE}s", "computer", "Failed \N{EN DASH} It is gone"],
        [
            "1",
            wording.stamp(NOW_MS),
            "0.4\N{NO-BREAK SPACE}s",
            "computer",
            "Another program is using this file; attempt 2 of 5 will follow",
        ],
    ]


def test_titles_are_aligned_like_the_cells_and_numbers_to_the_right(window: MainWindow, qtbot: QtBot) -> None:
    window.details.show_tab("attempts")
    table = window.details.attempts.table
    qtbot.waitUntil(lambda: table.rowCount() == 2)
    role, right = Qt.ItemDataRole.TextAlignmentRole, Qt.AlignmentFlag.AlignTrailing
    sides = [Qt.AlignmentFlag(table.model().index(0, column).data(role)) for column in range(table.columnCount())]
    titles = [
        Qt.AlignmentFlag(table.model().headerData(column, Qt.Orientation.Horizontal, role))
        for column in range(table.columnCount())
    ]
    assert titles == sides
    assert [bool(side & right) for side in sides] == [True, True, True, False, False]


def test_tab_shows_the_number_of_attempts_before_it_is_opened(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.details.tabs.tabText(1) == "Attempts (2)")
    assert window.details.attempts.table.rowCount() == 0
    window.view.select_rows(1, 1)
    assert window.details.tabs.tabText(1) == "Attempts"


def test_unchanged_attempts_are_not_set_again(window: MainWindow, qtbot: QtBot) -> None:
    window.details.show_tab("attempts")
    table = window.details.attempts.table
    qtbot.waitUntil(lambda: table.rowCount() == 2)
    changes: list[object] = []
    table.model().dataChanged.connect(lambda *_: changes.append(1))
    table.set_rows(table._rows)
    assert changes == []
    newest, oldest = table._rows
    table.set_rows([(*newest[:-1], "Processed"), oldest])
    assert changes
    assert [row[-1] for row in cells(window)] == ["Processed", oldest[-1]]


def test_selecting_more_files_does_not_read_the_file_that_was_shown(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.details.show_tab("attempts")
    qtbot.waitUntil(lambda: window.details.attempts.table.rowCount() == 2)
    reads: list[int] = []
    for name in ("attempts", "attempt_count"):
        monkeypatch.setattr(JobList, name, lambda _jobs, key: reads.append(key))
    window.view.selectAll()
    assert window.details.shown_tab == "summary"
    assert reads == []


def test_selected_text_of_a_fact_stays_when_another_fact_changes(qtbot: QtBot) -> None:
    page = SummaryPage()
    qtbot.addWidget(page)
    summary = Summary("a.txt", "", "", "", (("Size", "12 bytes"), ("Attempts", "1")))
    page.show_summary(summary)
    size, attempts = page.findChildren(QLabel, "detailsFact")
    size.setSelection(0, 2)
    page.show_summary(replace(summary, facts=(("Size", "12 bytes"), ("Attempts", "2"))))
    assert (size.selectedText(), attempts.text()) == ("12", "2")
    page.show_summary(replace(summary, facts=(("Size", "13 bytes"),)))
    assert [label.text() for label in page.findChildren(QLabel, "detailsFact") if label.isVisibleTo(page)] == [
        "13 bytes"
    ]


def test_attempts_before_a_retry_stay_and_are_numbered_on(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    key = windows.controller().model.ids[0]
    windows.jobs_db.intake.retry([key])
    finish(windows.jobs_db, key, start(windows.jobs_db, key))
    window.details.show_tab("attempts")
    qtbot.waitUntil(lambda: window.details.attempts.table.rowCount() == 3)
    assert [row[0] for row in cells(window)] == ["3", "2", "1"]
    qtbot.waitUntil(lambda: window.details.tabs.tabText(1) == "Attempts (3)")


def test_running_attempt_is_shown_until_it_has_a_result(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    key = windows.controller().model.ids[1]
    window.details.show_tab("attempts")
    window.view.select_rows(1, 1)
    token = start(windows.jobs_db, key)
    qtbot.waitUntil(lambda: [row[4] for row in cells(window)] == ["In progress"])
    finish(windows.jobs_db, key, token)
    qtbot.waitUntil(lambda: [row[4] for row in cells(window)] == ["Processed"])


def test_killed_program_leaves_an_attempt_without_a_result(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    key = windows.controller().model.ids[1]
    start(windows.jobs_db, key)
    Claims(windows.jobs_db.database).free_dead_leases(lambda _: False, queue="local", now_ms=NOW_MS + 9)
    window.view.select_rows(1, 1)
    window.details.show_tab("attempts")
    qtbot.waitUntil(lambda: window.details.attempts.table.rowCount() == 1)
    assert cells(window)[0][2:] == ["", "computer", "Ended without a result (Filemill exited)"]


def test_file_without_attempts_is_shown_as_not_processed(window: MainWindow, qtbot: QtBot) -> None:
    window.view.select_rows(1, 1)
    window.details.show_tab("attempts")
    page = window.details.attempts
    qtbot.waitUntil(lambda: not page.table.isVisible() and page.isVisible())
    assert not page.copy.isEnabled()


@pytest.mark.parametrize("outcome", [None, *AttemptOutcome])
def test_every_outcome_has_a_text(outcome: AttemptOutcome | None) -> None:
    said = attempt_result(Attempt(1, 1, 1, "computer/1", 5, 6, outcome, a_reason("Because")))
    assert said
    assert said == said.strip()


def test_attempts_are_copied_by_key_and_by_button(window: MainWindow, qtbot: QtBot) -> None:
    window.details.show_tab("attempts")
    table = window.details.attempts.table
    qtbot.waitUntil(lambda: table.rowCount() == 2)
    table.setFocus()
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_C, CTRL)
    assert clipboard().splitlines()[0] == "Attempt\tStarted\tDuration\tComputer\tResult"
    assert len(clipboard().splitlines()) == 2
    press(Qt.Key.Key_A, CTRL)
    assert window.view.selected_count() == 1, "the list's selection is left alone"
    QTest.mouseClick(window.details.attempts.copy, LEFT)
    assert len(clipboard().splitlines()) == 3


def test_result_column_is_always_visible(window: MainWindow, qtbot: QtBot) -> None:
    window.details.show_tab("attempts")
    table = window.details.attempts.table
    qtbot.waitUntil(lambda: table.rowCount() == 2)
    window.resize(620, 440)
    qtbot.waitUntil(lambda: table.isColumnHidden(2))
    assert cells(window)[0][4] == "Failed \N{EN DASH} It is gone\n1.2\N{NO-BREAK SPACE}s · computer"
    assert not table.horizontalScrollBar().isVisible()
    window.resize(1300, 700)
    qtbot.waitUntil(lambda: not table.isColumnHidden(2))
    assert cells(window)[0][4] == "Failed \N{EN DASH} It is gone"


def test_unreadable_attempts_stay_as_they_are(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def refuse(_: JobList, row_id: int) -> None:
        asked.append(row_id)
        raise StoreError("No disk.")

    monkeypatch.setattr(JobList, "attempts", refuse)
    window.details.show_tab("attempts")
    qtbot.waitUntil(lambda: bool(asked))
    assert window.details.attempts.table.rowCount() == 0


def test_holding_an_arrow_key_reads_nothing(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows.jobs_db.add_many(200)
    qtbot.waitUntil(lambda: windows.controller().model.rowCount() == 202)
    window.details.show_tab("attempts")
    asked: list[int] = []
    real = JobList.attempts

    def counted(self: JobList, row_id: int) -> list[Attempt]:
        asked.append(row_id)
        return real(self, row_id)

    monkeypatch.setattr(JobList, "attempts", counted)
    window.view.setFocus()
    for _ in range(150):
        QTest.keyClick(window.view, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: asked[-1:] == [windows.controller().model.ids[150]])
    assert len(asked) < 20


# --- message


def facts_of(windows: WindowFactory, row: int, *, strict_order: bool = False, **fields: object) -> dict[str, str]:
    key = windows.controller().model.ids[row]
    windows.jobs_db.change(key, **fields)
    return dict(message_facts(windows.jobs_db.jobs.page([key])[key], windows._wording, strict_order=strict_order))


def test_message_tab_shows_its_ids(window: MainWindow, windows: WindowFactory) -> None:
    job = windows.controller().model.job(0)
    assert job is not None
    window.details.show_tab("message")
    facts = dict(window.details.message.grid.facts)
    assert facts["Message ID"] == "5fea-m"
    assert facts["Job ID"] == job.id
    assert facts["Queue"] == "Local queue"
    assert facts["Received"] == "1 time"
    assert facts["Submission"] == "1"
    assert facts["Batch"].startswith("1, added ")
    assert "Message group" not in facts


def test_message_of_a_fifo_queue_shows_group_and_deduplication_id(window: MainWindow, windows: WindowFactory) -> None:
    assert window.isVisible()
    facts = facts_of(windows, 0, queue="eu-west-1 ingest.fifo", generation=3)
    assert facts["Queue"] == "ingest.fifo · eu-west-1"
    assert facts["Message group"] == facts["Job ID"]
    assert facts["Deduplication ID"] == f"{facts['Job ID']}:3"
    assert facts_of(windows, 0, strict_order=True)["Message group"] == "filemill"


def test_unsent_message_is_shown_as_unsent(window: MainWindow, windows: WindowFactory) -> None:
    assert window.isVisible()
    assert facts_of(windows, 1)["Message ID"] == "Not sent yet"


def test_message_is_copied_as_a_whole_and_a_value_alone(window: MainWindow) -> None:
    window.details.show_tab("message")
    QTest.mouseClick(window.details.message.copy, LEFT)
    assert "Message ID: 5fea-m\n" in clipboard()
    assert clipboard().count("\n") == len(window.details.message.grid.facts)
    field = window.details.message.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    window.details.tabs.tabBar().setFocus()
    press(Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is field
    assert field.accessibleName() == "Message ID"
    field.setFocus(Qt.FocusReason.TabFocusReason)
    press(Qt.Key.Key_A, CTRL)
    press(Qt.Key.Key_C, CTRL)
    assert clipboard() == "5fea-m"


# --- log


@pytest.mark.expected_log("second")
def test_log_shows_lines_about_the_file_and_continues(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    job, other = windows.controller().model.job(0), windows.controller().model.job(1)
    assert job is not None
    assert other is not None
    with start_logging(windows.log_folder, debug=False):
        ours.info("job %s: first", job.id)
        ours.info("job %s: of another", other.id)
        window.details.show_tab("log")
        page = window.details.log
        qtbot.waitUntil(lambda: len(page.lines) == 1)
        assert page.text.toPlainText().endswith("  first")
        ours.warning("job %s: second", job.id)
        qtbot.waitUntil(lambda: len(page.lines) == 2)
        assert page.text.toPlainText().splitlines()[1].endswith("  WARNING: second")
    QTest.mouseClick(page.copy, LEFT)
    assert clipboard() == "".join(f"{line}\n" for line in page.lines)
    assert f"desktop_app.test: job {job.id}: first\n" in clipboard()
    window.view.select_rows(1, 1)
    assert page.lines == ()
    qtbot.waitUntil(lambda: page.text.toPlainText().endswith("of another"))


def test_log_without_lines_about_the_file_is_explained(window: MainWindow, qtbot: QtBot) -> None:
    window.details.show_tab("log")
    page = window.details.log
    qtbot.waitUntil(lambda: page.none.text().startswith("The log has no entries for this file."))
    assert page.none.isVisible()
    assert not page.copy.isEnabled()


def test_log_is_not_read_while_another_tab_is_shown(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    job = windows.controller().model.job(0)
    assert job is not None
    log_file(windows.log_folder).parent.mkdir()
    log_file(windows.log_folder).write_text(f"job {job.id}: a\n")
    qtbot.waitUntil(lambda: window.details.tabs.tabText(1) == "Attempts (2)")
    windows.settle()
    assert window.details.log.lines == ()
    window.details.show_tab("log")
    qtbot.waitUntil(lambda: len(window.details.log.lines) == 1)
    window.menu_actions.details.trigger()
    window.menu_actions.details.trigger()
    qtbot.waitUntil(lambda: len(window.details.log.lines) == 1)


def test_log_keeps_showing_its_end_if_it_was_scrolled_there(window: MainWindow, qtbot: QtBot) -> None:
    window.details.show_tab("log")
    page = window.details.log
    many = tuple(f"line {number}" for number in range(100))
    page.show_lines(many)
    bar = page.text.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())
    page.show_lines((*many, "one more"))
    assert bar.value() == bar.maximum()
    bar.setValue(0)
    page.show_lines((*many, "one more", "and more"))
    assert bar.value() == 0
    page.show_lines(many[50:])
    assert page.text.toPlainText() == "\n".join(many[50:])


# --- the tabs themselves


def test_tabs_are_reached_by_keyboard(window: MainWindow) -> None:
    window.details.fixes.shown[0].setFocus()
    for name in ("attempts", "message", "log", "summary"):
        press(Qt.Key.Key_Tab, CTRL)
        assert window.details.shown_tab == name
    press(Qt.Key.Key_Backtab, CTRL | SHIFT)
    assert window.details.shown_tab == "log"
    window.details.show_tab("summary")
    window.details.tabs.tabBar().setFocus()
    for name in ("attempts", "message", "log"):
        press(Qt.Key.Key_Right)
        assert window.details.shown_tab == name
    window.details.log.copy.setEnabled(True)
    window.details.log.copy.setFocus()
    press(Qt.Key.Key_Tab, CTRL)
    assert window.details.shown_tab == "summary"


def test_ctrl_tab_and_tab_leave_the_log(window: MainWindow) -> None:
    window.details.show_tab("log")
    window.details.log.show_lines(("a", "b"))
    window.details.log.text.setFocus()
    press(Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is window.details.log.copy
    window.details.log.text.setFocus()
    press(Qt.Key.Key_Tab, CTRL)
    assert window.details.shown_tab == "summary"


def test_tab_is_chosen_by_mouse(window: MainWindow) -> None:
    bar = window.details.tabs.findChild(QTabBar)
    assert isinstance(bar, QTabBar)
    QTest.mouseClick(bar, LEFT, pos=bar.tabRect(2).center())
    assert window.details.shown_tab == "message"


def test_several_files_have_only_a_summary_and_the_tab_is_restored(window: MainWindow) -> None:
    window.details.show_tab("message")
    window.view.selectAll()
    assert window.details.shown_tab == "summary"
    assert [window.details.tabs.isTabEnabled(number) for number in range(4)] == [True, False, False, False]
    window.view.select_rows(0, 0)
    assert window.details.shown_tab == "message"


def test_tab_is_remembered(window: MainWindow, windows: WindowFactory) -> None:
    window.details.show_tab("log")
    window.view.selectAll()
    window.close()
    again = windows.open()
    again.view.select_rows(0, 0)
    assert again.details.shown_tab == "log"


def test_values_are_beside_their_captions_from_right_to_left(windows: WindowFactory, qapp: QApplication) -> None:
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        windows.jobs_db.add("/data/a.txt")
        window = windows.open_active()
        window.menu_actions.details.trigger()
        window.view.select_rows(0, 0)
        for field in window.details.findChildren(QLineEdit):
            assert field.alignment() & Qt.AlignmentFlag.AlignRight
            assert field.alignment() & Qt.AlignmentFlag.AlignAbsolute
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


# --- below or beside


def test_details_are_beside_the_list_if_there_is_room(window: MainWindow, qtbot: QtBot) -> None:
    below = window.details.mapTo(window, QPoint(0, 0))
    assert below.y() > window.view.mapTo(window, QPoint(0, 0)).y()
    height = window.details.height()
    window.resize(WIDE, 800)
    qtbot.waitUntil(lambda: window.details.mapTo(window, QPoint(0, 0)).x() > window.view.width())
    assert window.details.width() < WIDE / 2
    window.resize(WIDE - 1, 800)
    qtbot.waitUntil(lambda: window.details.mapTo(window, QPoint(0, 0)).x() < 400)
    assert abs(window.details.height() - height) < 5


def test_both_sizes_are_remembered(window: MainWindow, windows: WindowFactory, tmp_path: Path, qtbot: QtBot) -> None:
    window.resize(WIDE + 100, 800)
    qtbot.waitUntil(lambda: window.details.mapTo(window, QPoint(0, 0)).x() > window.view.width())
    window._split.moveSplitter(window._split.width() - 500, 1)
    width = window.details.width()
    assert abs(width - 500) < 10
    usual = WindowMemory(tmp_path / "other.ini").details_height
    window.close()
    memory = WindowMemory(tmp_path / "window.ini")
    assert (memory.details_width, memory.details_height) == (width, usual)
    again = windows.open()
    again.resize(WIDE + 100, 800)
    qtbot.waitUntil(lambda: abs(again.details.width() - width) < 5)


@pytest.mark.parametrize("value", ["", "wide", "-5", "3", "99999"])
def test_invalid_width_is_ignored(tmp_path: Path, value: str) -> None:
    file = tmp_path / "w.ini"
    usual = WindowMemory(file).details_width
    file.write_text(f"[General]\nversion=1\ndetails_width={value}\ndetails_tab=1,2\n")
    memory = WindowMemory(file)
    assert memory.details_width == usual
    assert memory.details_tab == ""


def test_list_and_details_fit_the_smallest_window(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(620, 440)
    qtbot.waitUntil(lambda: window.height() == 440)
    for name in ("summary", "attempts", "message", "log"):
        window.details.show_tab(name)
        page = window.details.tabs.currentWidget()
        assert page.height() >= 70
        assert window.details.geometry().bottom() <= window._split.height()
    assert window.view.height() >= 90
